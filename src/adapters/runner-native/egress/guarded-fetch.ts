import type { EgressRules } from './address-policy.ts'
import { checkTarget, type Lookup } from './check-target.ts'
import { lookUpAll, pinnedConnector } from './pinned-connector.ts'

const CONNECT_MS = 10_000

/**
 * A `fetch` that goes only where apps may go, for answers that are read while they come. It follows no redirect: what
 * it carries is meant for one place.
 */
export function createGuardedFetch({
  rules,
  lookup = lookUpAll,
}: {
  readonly rules: EgressRules
  readonly lookup?: Lookup
}): typeof fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    const target = await checkTarget(url, rules, lookup)
    const connect = await pinnedConnector(target, CONNECT_MS)
    const { Agent, fetch: undiciFetch } = await import('undici')
    // Without pipelining a connection ends with its answer, so the agent needs no closing.
    const dispatcher = new Agent({ connect, pipelining: 0, allowH2: false })
    // Node's own types of fetch are undici's, of another version.
    const send = undiciFetch as unknown as (url: string, init: object) => Promise<Response>
    return send(url, { ...init, redirect: 'error', dispatcher })
  }
}
