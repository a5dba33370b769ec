import type { DeviceRequests } from './device-measures.ts'
import type { Shot } from './load.ts'

/** Latchkey's device flow. Each flow is polled once: a second poll within its interval would be told to slow down. */
export const latchkeyDevice: DeviceRequests = {
  start: (address) => post('code', address, { client_id: 'latchkey', device_label: 'bench' }),
  poll: (deviceCode, address) => post('token', address, { client_id: 'latchkey', device_code: deviceCode }),
}

function post(route: 'code' | 'token', address: string, body: unknown): Shot {
  return {
    method: 'POST',
    path: `/openapi/v1/oauth/device/${route}`,
    headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
    body: JSON.stringify(body),
  }
}
