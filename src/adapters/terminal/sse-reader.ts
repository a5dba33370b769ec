import { createParser } from 'eventsource-parser'

/** A run's node withholds its outputs on the wire, so no honest frame comes near this. */
const MAX_FRAME_CHARS = 16 * 1024 * 1024

/** The `data` of each frame, in order; pings and comments carry none and are passed over. */
export async function* readSse(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const ready: string[] = []
  const faults: Error[] = []
  const parser = createParser({
    maxBufferSize: MAX_FRAME_CHARS,
    onEvent: ({ data }) => {
      if (data !== '') ready.push(data)
    },
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') faults.push(error)
    },
  })
  // Streaming decode: a character may arrive in two chunks.
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    const fault = faults.shift()
    if (fault !== undefined) throw fault
    yield* ready.splice(0)
  }
}
