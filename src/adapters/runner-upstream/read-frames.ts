import { StringDecoder } from 'node:string_decoder'
import type { Timer } from '#application/ports/clock.ts'
import { FrameReader, type Told } from './frame-reader.ts'
import { UpstreamFailure, upstreamFailed } from './upstream-failure.ts'

/** Far above any event of an app; a line without end must not fill the memory. */
const MAX_EVENT_CHARS = 4 * 1024 * 1024
/** The other server says something every ten seconds, if only that it lives. */
const SILENCE_MS = 60_000

/**
 * What a stream tells; silence, garbage and endless lines are failures.
 * @throws UpstreamFailure
 */
export async function* readFrames(body: AsyncIterable<Uint8Array>, timer: Timer): AsyncGenerator<Told> {
  const reader = new FrameReader()
  // Unlike a TextDecoder it makes strings of one byte a letter where those are enough.
  const decoder = new StringDecoder()
  const chunks = body[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await unlessSilent(chunks.next(), timer)
      if (done === true) return
      const told = reader.read(decoder.write(Buffer.from(value.buffer, value.byteOffset, value.length)))
      if (reader.held > MAX_EVENT_CHARS) {
        throw upstreamFailed('The server of the app sent an event that is too large.')
      }
      // What was said before the garbage was said.
      for (const one of told) {
        if (one instanceof UpstreamFailure) throw one
        yield one
      }
    }
  } finally {
    // Not waited for: a reader that hangs would hang here again.
    void Promise.resolve(chunks.return?.()).catch(() => {})
  }
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
