import { type EgressRules, isTrustedHost, mayReach } from './address-policy.ts'
import { EgressFailure } from './http-egress.ts'

/** Every address of a host name. */
export type Lookup = (hostname: string) => Promise<readonly string[]>

/** Where one hop goes: the connection is made to `address` and nowhere else. */
export type Target = { readonly url: URL; readonly address: string }

const MAX_URL_CHARS = 8192

/**
 * Reads the address of a hop, resolves it once and checks every result. Browsers' URL parsing comes first: it turns
 * `2130706433`, `0x7f.1`, `0177.1` and full-width digits into the address that a connection would reach.
 * @throws EgressFailure when the app may not go there, or there is no such host
 */
export async function checkTarget(text: string, rules: EgressRules, lookup: Lookup): Promise<Target> {
  if (text.length > MAX_URL_CHARS) throw new EgressFailure('refused', 'the URL is too long')
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw new EgressFailure('refused', 'the URL must start with http:// or https:// and name a host')
  }
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') {
    throw new EgressFailure('refused', 'the URL must not hold a user name or password')
  }
  const isLiteral = url.hostname.startsWith('[') || /^[\d.]+$/.test(url.hostname)
  const addresses = isLiteral ? [url.hostname.replace(/^\[|\]$/g, '')] : await resolveAll(url.hostname, lookup)
  const [address] = addresses
  if (address === undefined) throw new EgressFailure('failed', `the host ${url.hostname} was not found`)
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  // One private address among public ones is how a name is rebound between the check and the connection.
  if (!isTrustedHost(url.hostname, port, rules) && !addresses.every((one) => mayReach(one, rules))) {
    throw new EgressFailure(
      'refused',
      `${url.hostname} is not open to apps: EGRESS_ALLOW_CIDRS and EGRESS_ALLOW_HOSTS open networks and hosts`,
    )
  }
  return { url, address }
}

async function resolveAll(hostname: string, lookup: Lookup): Promise<readonly string[]> {
  try {
    return await lookup(hostname)
  } catch (error) {
    throw new EgressFailure('failed', `the host ${hostname} was not found`, { cause: error })
  }
}
