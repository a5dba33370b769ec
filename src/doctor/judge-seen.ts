import type { Seen } from '#adapters/http/routes/seen.ts'
import { SECURITY_HEADERS } from '#adapters/http/security-headers.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

/** Nobody's addresses (RFC 5737 §3): whoever is taken for one of them was believed about it. */
export const FORGED = { 'X-Forwarded-For': '203.0.113.7', Forwarded: '203.0.113.8' } as const

/** How two requests looked to the server: one as it is, one that claims to be somebody else's. */
export type Looks = {
  readonly plain: Seen
  /** Null when something in front refused to pass it on. */
  readonly forged: Seen | null
  /** Of the plain one's answer, as they arrived here. */
  readonly headers: Headers
}

/** Whether people's addresses reach the server by `origin`, nobody can choose theirs, and answers come back whole. */
export function judgeSeen(origin: string, looks: Looks): readonly Finding[] {
  const check = checkOf(origin)
  const { plain, forged, headers } = looks
  const found = [
    ...(forged === null ? [] : ofForged(check, plain, forged)),
    ...ofSource(check, origin, plain),
    ...ofScheme(check, origin, plain),
    ...ofHeaders(check, headers),
  ]
  return found.length > 0 ? found : [ok(check, wayOf(plain, forged !== null))]
}

/** How the findings about an origin are called. */
export function checkOf(origin: string): string {
  return `proxy ${origin}`
}

function wayOf({ client, hops, proto, host }: Seen, isForgedHeard: boolean): string {
  const by = hops === 0 ? 'with nothing in front' : `through ${hops === 1 ? 'one proxy' : `${hops} proxies`}`
  const as = host === null ? '' : `, as ${host}`
  return `seen from ${client}, ${by}${proto === null ? '' : `, by ${proto}`}${as}; a forged address is ${isForgedHeard ? 'not believed' : 'not let through'}`
}

function ofForged(check: string, plain: Seen, forged: Seen): readonly Finding[] {
  const header = Object.entries(FORGED).find(([, address]) => address === forged.client)?.[0]
  if (header === undefined) return []
  // Something appended whom it heard, which is this machine, and the server went on past it to what this machine said.
  if (plain.hops > 0 && forged.hops > plain.hops) {
    return [
      warn(
        check,
        `TRUSTED_PROXIES holds ${plain.client}, from where this was asked: whoever is there chooses the address that limits count`,
        'let TRUSTED_PROXIES name the addresses of the proxies, and no network that others are in',
      ),
    ]
  }
  return [
    fail(
      check,
      `a forged ${header} arrives unchanged and is believed: whoever asks chooses the address that limits count`,
      `let the proxy overwrite ${header}, and TRUSTED_PROXIES name that proxy only; where there is none, take it out`,
    ),
  ]
}

/** Where all people share one address, a few who fail to sign in keep everybody out. */
function ofSource(check: string, origin: string, seen: Seen): readonly Finding[] {
  const { peer, isPeerTrusted, client, hops, furthest, proto } = seen
  // This server speaks plain http, so https proves that somebody stands in front of it.
  const isBehind = origin.startsWith('https:') || hops > 0 || proto !== null
  if (!isBehind) return []
  const shared = 'all people share its address and its limits'
  if (hops === 0) {
    const fix = 'let it set X-Forwarded-For, and name it in TRUSTED_PROXIES'
    return [fail(check, `the proxy at ${peer} does not say for whom it asks: ${shared}`, fix)]
  }
  if (!isPeerTrusted) {
    const fix = `add ${rangeOf(peer)} to TRUSTED_PROXIES, and the other addresses that it may have`
    return [fail(check, `the proxy at ${peer} is not in TRUSTED_PROXIES: ${shared}`, fix)]
  }
  if (furthest === null) {
    const fix = 'let it write the address of whoever asks, and nothing else'
    return [fail(check, `what the proxy at ${peer} writes into X-Forwarded-For is no address: ${shared}`, fix)]
  }
  if (client === furthest) return []
  const fix = `add ${rangeOf(client)} to TRUSTED_PROXIES, and the other addresses that it may have`
  return [fail(check, `the outer proxy at ${client} is not in TRUSTED_PROXIES: ${shared}`, fix)]
}

function rangeOf(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`
}

function ofScheme(check: string, origin: string, { proto }: Seen): readonly Finding[] {
  if (!origin.startsWith('https:') || proto !== 'http') return []
  return [
    warn(
      check,
      'X-Forwarded-Proto says http although the origin is https: a part of the way may be read',
      'let what stands furthest in front ask the next one by https, and let that one pass X-Forwarded-Proto on',
    ),
  ]
}

function ofHeaders(check: string, headers: Headers): readonly Finding[] {
  const found: Finding[] = []
  if (!/\bno-store\b/i.test(headers.get('Cache-Control') ?? '')) {
    found.push(
      warn(
        check,
        'Cache-Control: no-store does not arrive: an answer to one person may be kept and given to another',
        'let the proxy pass Cache-Control on, and cache nothing that says no-store',
      ),
    )
  }
  const lost = SECURITY_HEADERS.map(([name]) => name).filter((name) => !headers.has(name))
  if (lost.length > 0) {
    found.push(warn(check, `answers arrive without ${lost.join(', ')}`, 'let the proxy pass these headers on'))
  }
  return found
}
