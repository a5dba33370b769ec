import type { Readable } from 'node:stream'

/** Received and not yet asked for; above it the sender has to wait. */
const MAX_WAITING_BYTES = 512 * 1024

/** Whoever wants to know how a stream comes along, and may end the reading of it. */
export type Watch = {
  came(bytes: number): void
  /** Its reason is thrown to the reader who waits. */
  readonly overdue: AbortSignal
}

/**
 * The pieces of a stream as they come off the network. A stream's own iterator copies what has gathered into one piece at
 * each turn, which is the dearest part of a large upload. Leaving it early leaves the stream open, and nobody reading it.
 * @throws Error when the stream breaks off, or closes before its end; what `watch` ends it with
 */
export async function* flowing(stream: Readable, watch?: Watch): AsyncGenerator<Buffer, void> {
  const waiting: Buffer[] = []
  let bytes = 0
  let isOver = false
  let fault: Error | null = null
  let wake = () => {}
  const onData = (piece: Buffer) => {
    waiting.push(piece)
    bytes += piece.length
    watch?.came(piece.length)
    if (bytes > MAX_WAITING_BYTES) stream.pause()
    wake()
  }
  const onEnd = () => {
    isOver = true
    wake()
  }
  const onFault = (error?: Error) => {
    fault ??= error ?? new Error('closed before its end')
    wake()
  }
  const onOverdue = () => onFault(watch?.overdue.reason)
  // A sender that left while it was being admitted is told of by no event any more.
  if (stream.destroyed) throw stream.errored ?? new Error('closed before it was read')
  stream.on('data', onData).once('end', onEnd).once('error', onFault).once('close', onFault)
  watch?.overdue.addEventListener('abort', onOverdue)
  try {
    for (;;) {
      const piece = waiting.shift()
      if (piece !== undefined) {
        bytes -= piece.length
        if (bytes <= MAX_WAITING_BYTES && stream.isPaused()) stream.resume()
        yield piece
      } else if (isOver) return
      else if (fault !== null) throw fault
      else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    watch?.overdue.removeEventListener('abort', onOverdue)
    stream.off('data', onData).off('end', onEnd).off('error', onFault).off('close', onFault)
    stream.pause()
  }
}
