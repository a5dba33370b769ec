import type { ServerResponse } from 'node:http'
import type { Timer } from '#application/ports/clock.ts'

const PING_AFTER_MS = 10_000
/** A comment-like event without data: parsers never dispatch it, proxies see traffic. */
const PING = 'event: ping\n\n'

export type EventStream = {
  readonly kind: 'event-stream'
  /** Whole events, as they are written; several at once where several came at once. */
  readonly events: AsyncIterable<string>
  readonly pingAtOnce: boolean
}

/** One event. */
export function eventText(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

/**
 * Writes events until they end or the reader hangs up. Straight to the socket: piping a stream through Koa costs
 * twice the CPU. Waits for a slow reader, so memory stays bounded by what the source keeps.
 */
export async function writeEventStream(res: ServerResponse, stream: EventStream, timer: Timer): Promise<void> {
  let cancelPing = () => {}
  let gone = res.destroyed
  const expectSilence = () => {
    cancelPing()
    cancelPing = timer(PING_AFTER_MS, () => {
      if (!res.writableNeedDrain) res.write(PING)
      expectSilence()
    })
  }
  const onClose = () => {
    gone = true
  }
  res.once('close', onClose)
  res.flushHeaders()
  if (stream.pingAtOnce) res.write(PING)
  expectSilence()
  try {
    for await (const text of stream.events) {
      if (gone) return
      expectSilence()
      if (!res.write(text)) await drained(res)
    }
  } finally {
    cancelPing()
    res.off('close', onClose)
    res.end()
  }
}

function drained(res: ServerResponse): Promise<void> {
  if (res.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      res.off('drain', done)
      res.off('close', done)
      resolve()
    }
    res.once('drain', done)
    res.once('close', done)
  })
}
