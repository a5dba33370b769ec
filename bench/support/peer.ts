import { fileURLToPath } from 'node:url'
import type { DeviceRequests } from './device-measures.ts'
import { freePort } from './free-port.ts'
import type { Shot } from './load.ts'
import { DEVICE_GRANT, PEER_CLIENT_ID } from './peer-client.ts'
import { type ServerProcess, startServer } from './server-process.ts'

const SCRIPT = fileURLToPath(new URL('oidc-provider.ts', import.meta.url))

/** Starts oidc-provider with its memory store. */
export async function startPeer(): Promise<ServerProcess> {
  return startServer([SCRIPT], await freePort(), '/.well-known/openid-configuration', {})
}

/**
 * Its device flow. It neither limits addresses nor tells anybody to slow down, so flows may be polled again; its
 * memory store forgets all but the youngest thousand or so entries, two a flow.
 */
export const peerDevice: DeviceRequests = {
  start: () => form('/device/auth', { client_id: PEER_CLIENT_ID }),
  poll: (deviceCode) =>
    form('/token', { client_id: PEER_CLIENT_ID, grant_type: DEVICE_GRANT, device_code: deviceCode }),
  polled: 200,
}

function form(path: string, fields: Readonly<Record<string, string>>): Shot {
  return {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  }
}
