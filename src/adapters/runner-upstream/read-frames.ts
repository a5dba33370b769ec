import { createParser } from 'eventsource-parser'
import type { Timer } from '#application/ports/clock.ts'
import type { JsonObject } from '#domain/app.ts'
import { isObject } from '#domain/json.ts'
import { UpstreamFailure, upstreamFailed } from './upstream-failure.ts'

/** Far above any event of an app; a line without end must not fill the memory. */
const MAX_EVENT_BYTES = 4 * 1024 * 1024
/** The other server says something every ten seconds, if only that it lives. */
const SILENCE_MS = 60_000

/**
 * The events of a stream, as JSON objects; silence, garbage and endless lines are failures.
 * @throws UpstreamFailure
 */
export async function* readFrames(body: AsyncIterable<Uint8Array>, timer: Timer): AsyncGenerator<JsonObject> {
  const ready: (JsonObject | UpstreamFailure)[] = []
  let held = 0
  const parser = createParser({
    onEvent({ data }) {
      held = 0
      if (data !== '') ready.push(frameOf(data))
    },
    // A line that belongs to no field is no event either; pings are such lines to some servers.
    onError() {},
  })
  const decoder = new TextDecoder()
  const chunks = body[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await unlessSilent(chunks.next(), timer)
      if (done === true) return
      held += value.length
      parser.feed(decoder.decode(value, { stream: true }))
      if (held > MAX_EVENT_BYTES) throw upstreamFailed('The server of the app sent an event that is too large.')
      // What was said before the garbage was said.
      for (const frame of ready.splice(0)) {
        if (frame instanceof UpstreamFailure) throw frame
        yield frame
      }
    }
  } finally {
    // Not waited for: a reader that hangs would hang here again.
    void Promise.resolve(chunks.return?.()).catch(() => {})
  }
}

function frameOf(data: string): JsonObject | UpstreamFailure {
  try {
    const value: unknown = JSON.parse(data)
    const json = value as Parameters<typeof isObject>[0] // JSON.parse gives nothing else
    if (isObject(json)) return json
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return upstreamFailed('The server of the app sent something that is no event.')
}

async function unlessSilent<T>(next: Promise<T>, timer: Timer): Promise<T> {
  let cancel = () => {}
  const silence = new Promise<never>((_, reject) => {
    cancel = timer(SILENCE_MS, () => reject(upstreamFailed('The server of the app fell silent.')))
  })
  next.catch(() => {})
  try {
    return await Promise.race([next, silence])
  } finally {
    cancel()
  }
}
