import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** A model that goes on as long as somebody reads. */
export type EndlessModel = {
  readonly url: string
  /** Of all answers together. */
  saidBytes(): number
  close(): Promise<void>
}

const CHUNK = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'word '.repeat(50) } }] })}\n\n`

/** A chat completions endpoint that says `bytes` of events to each who asks, as fast as they are taken. */
export async function startEndlessModel(bytes: number): Promise<EndlessModel> {
  let said = 0
  function* answer() {
    for (let count = 0; count < bytes; count += CHUNK.length) {
      said += CHUNK.length
      yield CHUNK
    }
    yield 'data: [DONE]\n\n'
  }
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    // Whoever leaves early is what this is for.
    pipeline(Readable.from(answer()), response).catch(() => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP listener's address is never a path
  return {
    url: `http://127.0.0.1:${port}/v1`,
    saidBytes: () => said,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
