import type { IncomingMessage } from 'node:http'
import type { Context } from 'koa'
import { peerOf, readAddress, readHops } from '../client-address.ts'
import type { HttpContext } from '../http-context.ts'

/** Not in the OpenAPI document, nor in the router: only `latchkey doctor` asks here. */
export const SEEN_PATH = '/_seen'

/** What arrived here of a request that passed whatever stands in front. */
export type Seen = {
  /** Whose connection it came by, and whether `TRUSTED_PROXIES` names that address. */
  readonly peer: string
  readonly isPeerTrusted: boolean
  /** The address on which limits count. */
  readonly client: string
  /** Addresses that `X-Forwarded-For`, or else `Forwarded`, held. */
  readonly hops: number
  /** The first of them, which is whoever spoke to the outermost proxy; null when there is none, or it is no address. */
  readonly furthest: string | null
  /** What proxies say that the person used; null when they say nothing. */
  readonly proto: 'http' | 'https' | null
  readonly host: string | null
}

/**
 * Tells how the request looked from here, to a command that proves to hold our secret, and proves the same to it. To
 * anybody else this path is like any that is not there.
 * @throws DomainError `not_found`
 */
export async function answerSeen(ctx: Context, http: HttpContext): Promise<void> {
  const { sign } = await http.cases.answerChallenge(new URLSearchParams(ctx.querystring).get('challenge') ?? '')
  const seen = JSON.stringify(seenOf(ctx.req, http))
  ctx.state.route = SEEN_PATH
  ctx.set('Cache-Control', 'no-store')
  ctx.status = 200
  ctx.body = { seen, mac: sign(seen) }
}

function seenOf(request: IncomingMessage, { clientAddress, isTrustedPeer }: HttpContext): Seen {
  const hops = readHops(request)
  return {
    peer: peerOf(request),
    isPeerTrusted: isTrustedPeer(request),
    client: clientAddress(request),
    hops: hops.length,
    furthest: readAddress(hops[0] ?? ''),
    proto: protoOf(request.headers),
    host: /^[\w.:[\]-]{1,255}$/.exec(request.headers.host ?? '')?.[0] ?? null,
  }
}

/** The first of several is the person's; RFC 7239 §5.4 for the other header. */
function protoOf(headers: IncomingMessage['headers']): Seen['proto'] {
  const said = String(headers['x-forwarded-proto'] ?? /(?:^|[;,\s])proto="?(\w+)/i.exec(headers.forwarded ?? '')?.[1])
  const proto = said.split(',')[0]?.trim().toLowerCase()
  return proto === 'http' || proto === 'https' ? proto : null
}
