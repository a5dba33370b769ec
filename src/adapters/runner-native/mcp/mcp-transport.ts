import { createParser } from 'eventsource-parser'
import type { Json, JsonObject } from '#domain/app.ts'
import { isObject } from '#domain/json.ts'
import { EgressFailure } from '../egress/http-egress.ts'
import { parseJson } from '../parse-json.ts'
import { ToolFailure } from '../tools/tool.ts'

/** An MCP server; the key is sent as a bearer, and to no other origin. */
export type McpServer = {
  readonly url: string
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
}

/** Carries JSON-RPC messages to a server and its answers back. */
export type McpTransport = {
  /** Gives the answer to the message's id; null for a notification, which has none. */
  readonly send: (message: JsonObject) => Promise<JsonObject | null>
  readonly close: () => Promise<void>
}

/** What one stream of a server may hold. */
const MAX_CHARS = 4_000_000

/** What all requests to a server carry. */
export function headersFor({ key, headers }: McpServer): Record<string, string> {
  return { ...headers, ...(key === null ? {} : { authorization: `Bearer ${key}` }) }
}

/** Asks the server; whatever keeps the answer from coming is a ToolFailure. */
export async function reach(webFetch: typeof fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await webFetch(url, init)
  } catch (error) {
    throw asToolFailure(error)
  }
}

/** The answer to message `id`, from a body that is JSON or a stream of events. */
export async function answerIn(response: Response, id: Json): Promise<JsonObject> {
  const isStream = /text\/event-stream/i.test(response.headers.get('content-type') ?? '')
  if (isStream) {
    for await (const { data } of eventsOf(response)) {
      const found = answerTo(parseJson(data), id)
      if (found !== null) return found
    }
  } else {
    let text = ''
    for await (const piece of piecesOf(response)) text += piece
    const found = answerTo(parseJson(text), id)
    if (found !== null) return found
  }
  throw new ToolFailure('the MCP server did not answer')
}

/** Servers may put several messages in one list. */
export function answerTo(said: Json | undefined, id: Json): JsonObject | null {
  const messages = Array.isArray(said) ? said : [said]
  return messages.find((one) => isObject(one) && one.id === id && ('result' in one || 'error' in one)) ?? null
}

/** The events of a stream while they come; ends with the stream. */
export async function* eventsOf(response: Response): AsyncGenerator<{ readonly event: string; readonly data: string }> {
  const ready: { event: string; data: string }[] = []
  const parser = createParser({ onEvent: ({ event = 'message', data }) => ready.push({ event, data }) })
  for await (const piece of piecesOf(response)) {
    parser.feed(piece)
    yield* ready.splice(0)
  }
}

/** Leaving early lets go of the connection. */
async function* piecesOf(response: Response): AsyncGenerator<string> {
  const { body } = response
  if (body === null) return
  const decoder = new TextDecoder()
  let size = 0
  try {
    for await (const bytes of body) {
      const piece = decoder.decode(bytes, { stream: true })
      size += piece.length
      if (size > MAX_CHARS) throw new ToolFailure('the answer of the MCP server is too large')
      yield piece
    }
  } catch (error) {
    throw asToolFailure(error)
  }
}

/** Nothing of what the way there says: it may name addresses. */
function asToolFailure(error: unknown): unknown {
  if (error instanceof ToolFailure) return error
  const { cause } = error instanceof Error ? error : {}
  for (const one of [error, cause]) {
    if (one instanceof EgressFailure) return new ToolFailure(`the MCP server: ${one.message}`, { cause: error })
  }
  if (error instanceof Error) return new ToolFailure('the MCP server could not be reached', { cause: error })
  return error
}
