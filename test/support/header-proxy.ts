import {
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type RequestListener,
  request,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { pipeline } from 'node:stream'
import { onLoopback } from './loopback.ts'

/** What a proxy does to headers on the way there and back; absent leaves them as they are. */
export type Manner = {
  /** Answers 403 to what has such headers. */
  readonly refuses?: (headers: IncomingHttpHeaders) => boolean
  readonly there?: (headers: IncomingHttpHeaders) => OutgoingHttpHeaders
  readonly back?: (headers: IncomingHttpHeaders) => OutgoingHttpHeaders
}

/** A proxy before a server, as operators set them up for good or ill. */
export type HeaderProxy = { readonly url: string; close(): Promise<void> }

/** Whom proxies here claim to have heard: a test comes from the same address as they do, people do not. */
export const PERSON = '198.51.100.4'

/** Writes whom it heard behind what it was told. */
export function appends(headers: IncomingHttpHeaders, heard = PERSON): OutgoingHttpHeaders {
  return { ...headers, 'x-forwarded-for': [headers['x-forwarded-for'], heard].filter(Boolean).join(', ') }
}

/** Believes nobody: what a caller claims is taken out. */
export function overwrites({ forwarded: _, ...headers }: IncomingHttpHeaders): OutgoingHttpHeaders {
  return { ...headers, 'x-forwarded-for': PERSON, 'x-forwarded-proto': 'http' }
}

/** Passes requests on to `target` with such manners; where `tls` is given, by https on this side of it. */
export async function openHeaderProxy(
  target: string,
  { refuses, there, back }: Manner,
  tls: { readonly cert: string; readonly key: string } | null = null,
): Promise<HeaderProxy> {
  const pass: RequestListener = (req, res) => {
    if (refuses?.(req.headers)) {
      res.writeHead(403).end()
      return
    }
    const headers = there?.(req.headers) ?? req.headers
    const onward = request(target + req.url, { method: req.method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, back?.(answer.headers) ?? answer.headers)
      pipeline(answer, res, () => {})
    })
    onward.on('error', () => res.writeHead(502).end())
    req.pipe(onward)
  }
  const server = tls === null ? createServer(pass) : createTlsServer(tls, pass)
  const { port, close } = await onLoopback(server)
  return {
    url: `${tls === null ? 'http' : 'https'}://127.0.0.1:${port}`,
    close,
  }
}
