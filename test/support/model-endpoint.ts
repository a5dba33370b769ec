import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** A chat completions endpoint on loopback that says one sentence and keeps what it was asked. */
export async function aModelEndpoint(sentence: string) {
  const asked: { readonly authorization: string | undefined; readonly model: unknown }[] = []
  const traceparents: unknown[] = []
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as { model?: unknown } // what a client of the protocol sends
    traceparents.push(request.headers.traceparent)
    asked.push({ authorization: request.headers.authorization, model: body.model })
    const chunk = (delta: object, finish_reason: string | null) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.end(`${chunk({ content: sentence }, null)}${chunk({}, 'stop')}data: [DONE]\n\n`)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo // a TCP listener's address is never a path
  return {
    url: `http://127.0.0.1:${port}/v1`,
    asked,
    traceparents,
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
