import { createServer, type ServerResponse } from 'node:http'
import { onLoopback } from './loopback.ts'

/** What a test tells the double to answer. */
export type Answer = {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  /** Frames of an event stream; an object becomes `data: <json>`, a string is sent as it is. */
  readonly frames?: readonly unknown[]
  /** What to do once all is written: `break` cuts the socket, `hold` leaves it open. */
  readonly ending?: 'end' | 'break' | 'hold'
}
export type Heard = {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly authorization: string | undefined
  readonly body: Record<string, unknown>
}
type Reply = Answer | ((heard: Heard) => Answer)

/** A server that speaks the wire, one scripted answer a route; several answers are given in turn, the last for good. */
export type ApiDouble = {
  readonly url: string
  readonly heard: readonly Heard[]
  on(route: string, ...replies: readonly Reply[]): void
  /** Resolves when `route` is asked the next time. */
  asked(route: string): Promise<Heard>
  close(): Promise<void>
}

/** Listens on a free port of the loopback interface. */
export async function openApiDouble(): Promise<ApiDouble> {
  const routes = new Map<string, Reply[]>()
  const heard: Heard[] = []
  const waiters = new Map<string, (heard: Heard) => void>()
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://double')
    let text = ''
    for await (const chunk of request) text += chunk
    const route = `${request.method} ${url.pathname.replace('/openapi/v1', '')}`
    const body: unknown = text === '' ? {} : JSON.parse(text)
    const one: Heard = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      authorization: request.headers.authorization,
      body: typeof body === 'object' && body !== null ? { ...body } : {},
    }
    heard.push(one)
    const replies = routes.get(route) ?? []
    const reply = replies.length > 1 ? replies.shift() : replies[0]
    const missing = { status: 404, json: { error: 'not_found', message: `no ${route}` } }
    answer(response, typeof reply === 'function' ? reply(one) : (reply ?? missing))
    waiters.get(route)?.(one)
  })
  const { url, close } = await onLoopback(server)
  return {
    url,
    heard,
    on: (route, ...replies) => void routes.set(route, [...replies]),
    asked: (route) => new Promise((resolve) => void waiters.set(route, resolve)),
    close,
  }
}

function answer(response: ServerResponse, { status = 200, headers, json, frames, ending = 'end' }: Answer): void {
  const type = frames === undefined ? 'application/json' : 'text/event-stream; charset=utf-8'
  response.writeHead(status, { 'Content-Type': type, ...headers })
  for (const frame of frames ?? []) {
    response.write(typeof frame === 'string' ? frame : `data: ${JSON.stringify(frame)}\n\n`)
  }
  if (json !== undefined) response.write(JSON.stringify(json))
  response.flushHeaders()
  if (ending === 'end') response.end()
  // The cut comes after what was written has left, or the client would see neither.
  if (ending === 'break') setImmediate(() => response.destroy())
}
