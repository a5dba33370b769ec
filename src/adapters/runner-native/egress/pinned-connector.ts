import { lookup as systemLookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { buildConnector } from 'undici'
import type { Lookup, Target } from './check-target.ts'

/** Connects to the address that was checked, and to no other. */
export async function pinnedConnector(
  { url, address }: Target,
  connectMs: number,
): Promise<ReturnType<typeof buildConnector>> {
  // Only here: many servers never send a request of an app's.
  const { buildConnector } = await import('undici')
  return buildConnector({ timeout: connectMs, lookup: pinnedTo(address), servername: serverName(url) })
}

/** The system's resolver, all addresses. */
export const lookUpAll: Lookup = async (hostname) => {
  const found = await systemLookup(hostname, { all: true, verbatim: true })
  return found.map(({ address }) => address)
}

type Found = (error: Error | null, addresses: { readonly address: string; readonly family: number }[]) => void

/** The answer to every lookup of this connection; a second question could get another answer. */
function pinnedTo(address: string) {
  return (_hostname: string, _options: unknown, found: Found): void => found(null, [{ address, family: isIP(address) }])
}

/** RFC 6066 §3: an address is no server name. */
function serverName({ hostname }: URL): string {
  return hostname.startsWith('[') || isIP(hostname) > 0 ? '' : hostname
}
