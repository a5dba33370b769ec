import * as v from 'valibot'
import { ApiRefusal, ServerUnreachable } from './api-refusal.ts'
import { ErrorReply } from './api-schemas.ts'
import { EXIT, TerminalFailure } from './terminal-failure.ts'
import type { TerminalIo } from './terminal-io.ts'

const CALL_TIMEOUT_MS = 30_000
/** As long as a server waits for an upload: two minutes, or this pace when it is large. */
const UPLOAD_TIMEOUT_MS = 120_000
const UPLOAD_BYTES_PER_MS = 10

type Query = Readonly<Record<string, string | undefined>>
type Call = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below `/openapi/v1`, ids already percent-encoded. */
  readonly path: string
  readonly query?: Query
  readonly body?: unknown
  /** Instead of a body: one file in a form. */
  readonly file?: { readonly name: string; readonly content: Blob }
}

/** One server, asked on behalf of one token (or nobody). */
export type ApiClient = {
  /** @throws ApiRefusal, ServerUnreachable, TerminalFailure for an answer that is not the API's. */
  call<S extends v.GenericSchema>(call: Call, schema: S, signal?: AbortSignal): Promise<v.InferOutput<S>>
  /** The open body of an event stream; reading it is bounded by the io's signal only. */
  stream(call: Call): Promise<ReadableStream<Uint8Array>>
}

/** A client for `server`, a base URL without a trailing slash; `signInHint` is what a 401 says to do. */
export function createApiClient(
  io: TerminalIo,
  server: string,
  token: string | null,
  signInHint: string | null = null,
): ApiClient {
  async function send(call: Call, accept: string, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { Accept: accept, 'User-Agent': `latchkey/${io.version}` }
    if (token !== null) headers.Authorization = `Bearer ${token}`
    if (call.body !== undefined) headers['Content-Type'] = 'application/json'
    let response: Response
    try {
      response = await io.fetch(`${server}/openapi/v1${call.path}${queryString(call.query)}`, {
        method: call.method,
        headers,
        signal,
        // A redirect could carry the bearer to another host.
        redirect: 'error',
        ...payloadOf(call),
      })
    } catch (error) {
      if (io.signal.aborted) throw error
      throw new ServerUnreachable(server, error)
    }
    if (response.ok) return response
    const reply = v.safeParse(ErrorReply, await jsonOf(response, server, io.signal))
    const retryAfter = response.headers.get('retry-after')
    throw new ApiRefusal(response.status, retryAfter, reply.success ? reply.output : {}, signInHint)
  }

  return {
    async call(call, schema, signal = io.signal) {
      const timeoutMs = timeoutOf(call)
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      const response = await send(call, 'application/json', bounded)
      const reply = v.safeParse(schema, await jsonOf(response, server, io.signal))
      if (!reply.success) throw notTheApi(server, response.status)
      return reply.output
    },
    async stream(call) {
      const response = await send(call, 'text/event-stream', io.signal)
      const type = response.headers.get('content-type') ?? ''
      if (response.body === null || !type.startsWith('text/event-stream')) throw notTheApi(server, response.status)
      return response.body
    },
  }
}

function timeoutOf({ file }: Call): number {
  if (file === undefined) return CALL_TIMEOUT_MS
  return Math.max(UPLOAD_TIMEOUT_MS, Math.ceil(file.content.size / UPLOAD_BYTES_PER_MS))
}

function payloadOf({ body, file }: Call): { readonly body?: string | FormData } {
  if (file === undefined) return body === undefined ? {} : { body: JSON.stringify(body) }
  const form = new FormData()
  form.append('file', file.content, file.name)
  return { body: form }
}

/** The parsed body, or null when it is no JSON: a proxy's HTML page is not worth a stack trace. */
async function jsonOf(response: Response, server: string, signal: AbortSignal): Promise<unknown> {
  try {
    return await response.json()
  } catch (error) {
    if (error instanceof SyntaxError) return null
    if (signal.aborted) throw error
    throw new ServerUnreachable(server, error)
  }
}

function notTheApi(server: string, status: number): TerminalFailure {
  return new TerminalFailure(
    EXIT.failure,
    'unexpected_answer',
    `${server} gave an answer this client does not understand (HTTP ${status}): is it a Latchkey server?`,
  )
}

function queryString(query: Query = {}): string {
  const pairs = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) pairs.set(key, value)
  return pairs.size === 0 ? '' : `?${pairs}`
}
