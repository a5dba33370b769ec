import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ErrorCode } from '#domain/errors.ts'
import { renderError } from './errors.ts'
import { namesOneHost } from './one-host.ts'
import { SECURITY_HEADERS } from './security-headers.ts'
import { isPaced } from './upload-pace.ts'

/** How long a caller may take; who sends a byte a minute would hold a connection for ever. */
export type Patience = {
  readonly headersMs: number
  /** Of the whole request, its body included; uploads have a limit of their own (`UploadPace`). */
  readonly requestMs: number
  /** How often both are looked at. */
  readonly checkMs: number
}

/**
 * Longer than balancers keep a connection that rests (most a minute): whoever closes first must be the one who sends, or
 * a request that is on its way meets a closed door.
 */
const KEPT_MS = 75_000

/** An import of 10 MiB gets through in two minutes at a megabit a second. */
const PATIENCE: Patience = { headersMs: 15_000, requestMs: 120_000, checkMs: 5_000 }

/** A server whose own refusals, of what is no HTTP or comes too slowly, read like all others. Listening is the caller's. */
export function createHttpServer(patience: Patience = PATIENCE): Server {
  const server = createServer({
    headersTimeout: patience.headersMs,
    requestTimeout: patience.requestMs,
    connectionsCheckingInterval: patience.checkMs,
    keepAliveTimeout: KEPT_MS,
    // Refused below, with the headers that every answer has.
    requireHostHeader: false,
  })
  refuseOtherHosts(server)
  const answering = new WeakMap<object, ServerResponse>()
  server.on('request', (req, res) => void answering.set(req.socket, res))
  // Node would refuse by itself, without a header of ours.
  server.on('checkExpectation', (req, res) => void server.emit('request', req, res))
  server.on('clientError', (error: Misread, socket) => {
    const res = answering.get(socket)
    // Node looks no further at a request that it gave up once; the upload's own watch does.
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && res !== undefined && isPaced(res.req)) return
    const isAmidAnswer = res?.headersSent === true && !res.writableFinished
    refuse(error, socket as Socket, isAmidAnswer) // an HTTP server's connections are sockets
  })
  return server
}

/**
 * Keeps requests from all listeners that do not name one host: a listener cannot keep them from the next one. Nor is
 * anything behind such a request heard, on a connection whose ends may not agree where one begins.
 */
function refuseOtherHosts(server: Server): void {
  const refused = new WeakSet<Socket>()
  const emit: (event: string, ...facts: unknown[]) => boolean = server.emit.bind(server)
  server.emit = (event: string, ...facts: unknown[]) => {
    if (event !== 'request') return emit(event, ...facts)
    const [req, res] = facts as [IncomingMessage, ServerResponse] // what Node tells of a request
    if (refused.has(req.socket)) return true
    if (namesOneHost(req)) return emit(event, req, res)
    refused.add(req.socket)
    const { status, json, headers } = refusalOf()
    // In its turn: answers to what came before on this connection may still be on their way.
    res.writeHead(status, headers.flat()).end(json)
    return true
  }
}

/** What the parser gave up on, and the bytes it was given last. */
type Misread = Error & { readonly code?: string; readonly rawPacket?: Buffer }

/** Without a log line: anybody can make any number of these. */
function refuse({ code, rawPacket }: Misread, socket: Socket, isAmidAnswer: boolean): void {
  // A second head inside an answer would be read as part of its body.
  if (!socket.writable || isAmidAnswer || code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const { status, json, headers } = refusalOf(code)
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
  // A body behind the answer to HEAD would be read as the next answer (RFC 9110 §9.3.2).
  const isHead = rawPacket?.toString('latin1', 0, 5) === 'HEAD '
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`
  socket.end(isHead ? head : head + json, () => socket.destroy())
}

const REFUSALS: Readonly<Record<string, ErrorCode & ('request_timeout' | 'headers_too_large')>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
}

type Refusal = {
  readonly status: number
  readonly json: string
  readonly headers: readonly (readonly [name: string, value: string])[]
}

function refusalOf(code = ''): Refusal {
  const { status, body } = renderError(REFUSALS[code] ?? 'malformed_request', {})
  const json = JSON.stringify(body)
  const headers = [
    ...SECURITY_HEADERS,
    ['Content-Type', 'application/json; charset=utf-8'],
    ['Content-Length', String(Buffer.byteLength(json))],
    ['Cache-Control', 'no-store'],
    ['Connection', 'close'],
  ] as const
  return { status, json, headers }
}
