import type { Timer } from '#application/ports/clock.ts'
import type { EgressRules } from './address-policy.ts'
import { checkTarget, type Lookup, type Target } from './check-target.ts'
import { EgressFailure, type EgressReply, type EgressRequest, type HttpEgress } from './http-egress.ts'
import { lookUpAll, pinnedConnector } from './pinned-connector.ts'
import { readBody } from './read-body.ts'
import { nextHop } from './redirects.ts'

/** What the guard stands on. */
export type EgressNeeds = { readonly rules: EgressRules; readonly timer: Timer; readonly lookup?: Lookup }

const MAX_REDIRECTS = 10
/** What frames a message or belongs to the connection is ours to say (RFC 9110 §7.6.1): an app could smuggle with it. */
const OURS = new Set(
  'host connection content-length transfer-encoding upgrade te trailer keep-alive expect proxy-connection'.split(' '),
)

/** Sends apps' requests to where they may go, and gives up on what is too slow or too large. */
export function createGuardedEgress({ rules, timer, lookup = lookUpAll }: EgressNeeds): HttpEgress {
  return {
    async request(first, signal) {
      const deadline = new AbortController()
      const cancel = timer(first.totalMs, () => deadline.abort())
      const either = AbortSignal.any([signal, deadline.signal])
      try {
        let request = first
        for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
          const target = await unlessAborted(checkTarget(request.url, rules, lookup), either)
          const reply = await exchange(target, request, either)
          const next = nextHop(request, target.url, reply)
          if (next === null) return reply
          request = next
        }
        throw new EgressFailure('failed', `the answer was redirected more than ${MAX_REDIRECTS} times`)
      } catch (error) {
        throw explain(error, deadline.signal.aborted, signal.aborted)
      } finally {
        cancel()
      }
    },
  }
}

/** One request on a connection of its own, to the address that was checked. */
async function exchange(target: Target, request: EgressRequest, signal: AbortSignal): Promise<EgressReply> {
  const { url } = target
  const connect = await pinnedConnector(target, request.connectMs)
  const { Client } = await import('undici')
  const client = new Client(url.origin, { connect, allowH2: false, pipelining: 1 })
  try {
    const reply = await client.request({
      path: url.pathname + url.search,
      method: request.method,
      headers: request.headers.filter(([name]) => !OURS.has(name.toLowerCase())).flat(),
      body: request.body,
      headersTimeout: request.totalMs,
      bodyTimeout: request.totalMs,
      signal,
    })
    const headers = headersOf(reply.headers)
    const body = await readBody(reply.body, headers['content-encoding'] ?? '', request.maxBytes)
    return { status: reply.statusCode, headers, body, url: url.href }
  } finally {
    await client.destroy()
  }
}

function headersOf(raw: Readonly<Record<string, string | string[] | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(raw).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )
}

/** A system lookup cannot be aborted, but it need not be waited for. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // Whoever loses the race must not become an unhandled rejection.
  work.catch(() => {})
  signal.throwIfAborted()
  let abandon = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abandon = () => reject(signal.reason)
    signal.addEventListener('abort', abandon, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abandon)
  }
}

/** Anything that goes wrong on the way is the outside's doing, or the request's. */
function explain(error: unknown, isLate: boolean, isStopped: boolean): unknown {
  if (error instanceof EgressFailure) return error
  if (isStopped) return new EgressFailure('failed', 'the run has ended', { cause: error })
  if (isLate) return new EgressFailure('failed', 'the answer took too long', { cause: error })
  if (!(error instanceof Error)) return error
  switch ('code' in error ? error.code : null) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return new EgressFailure('failed', 'the server could not be reached in time', { cause: error })
    case 'UND_ERR_INVALID_ARG':
      return new EgressFailure('refused', 'the method or a header is malformed', { cause: error })
    default:
      return new EgressFailure('failed', 'the server could not be reached', { cause: error })
  }
}
