import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { onLoopback } from './loopback.ts'

/** What an endpoint answers instead of a completion. */
export type Refusal = { readonly status: number; readonly body: object | string }

/** The protocol's name for how an answer is to look. */
type AskedFormat = { readonly type?: unknown; readonly json_schema?: unknown }

/**
 * A chat completions endpoint on loopback that says one sentence and keeps what it was asked, unless `refuse` finds a
 * fault with the format.
 */
export async function aModelEndpoint(
  sentence: string,
  refuse: (format: AskedFormat | undefined) => Refusal | null = () => null,
) {
  const asked: { readonly authorization: string | undefined; readonly model: unknown }[] = []
  const traceparents: unknown[] = []
  const formats: (AskedFormat | undefined)[] = []
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as { model?: unknown; response_format?: AskedFormat } // what a client of the protocol sends
    traceparents.push(request.headers.traceparent)
    asked.push({ authorization: request.headers.authorization, model: body.model })
    formats.push(body.response_format)
    const refusal = refuse(body.response_format)
    if (refusal !== null) {
      const isText = typeof refusal.body === 'string'
      response.writeHead(refusal.status, { 'Content-Type': isText ? 'text/plain' : 'application/json' })
      return response.end(isText ? refusal.body : JSON.stringify(refusal.body))
    }
    const chunk = (delta: object, finish_reason: string | null) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.end(`${chunk({ content: sentence }, null)}${chunk({}, 'stop')}data: [DONE]\n\n`)
  })
  const { url, close } = await onLoopback(server)
  return {
    url: `${url}/v1`,
    asked,
    traceparents,
    formats,
    close,
  }
}
