import type { IncomingMessage } from 'node:http'
import type { Timer } from '#application/ports/clock.ts'
import { DomainError } from '#domain/errors.ts'
import type { Watch } from './flowing.ts'

/** How slowly an upload may come. What it takes at most is bound by its size: `graceMs`, or size / `bytesPerSecond`. */
export type UploadPace = {
  /** How often it is looked at; what follows is as exact as this. */
  readonly checkMs: number
  /** Without a byte. */
  readonly stallMs: number
  /** From the beginning; only then has the average to be reached, so that a slow start is let be. */
  readonly graceMs: number
  readonly bytesPerSecond: number
  /** For the rest of a body whose request has been answered: a sender may hear of a refusal only when all is sent. */
  readonly restMs: number
}

/** 100 MB over a telephone line take under three hours; whoever sends a byte now and then is gone in a minute. */
const UPLOAD_PACE: UploadPace = {
  checkMs: 5_000,
  stallMs: 30_000,
  graceMs: 60_000,
  bytesPerSecond: 10_000,
  restMs: 120_000,
}

const paced = new WeakSet<IncomingMessage>()

/** Whether this request is watched here, and so exempt from the time that others may take as a whole. */
export function isPaced(req: IncomingMessage): boolean {
  return paced.has(req)
}

/**
 * Watches a body until its last byte. Time in which this server does not read, for its own store is slow, does not count.
 * `overdue` aborts with a DomainError `request_timeout`; nothing else ends the request, unless it has been answered.
 */
export function watchPace(req: IncomingMessage, timer: Timer, pace: UploadPace = UPLOAD_PACE): PaceWatch {
  const overdue = new AbortController()
  let [bytes, seenBytes, elapsedMs, stalledMs] = [0, 0, 0, 0]
  let cancel = () => {}
  const end = () => {
    cancel()
    paced.delete(req)
    req.off('end', end).off('close', end)
  }
  const look = () => {
    cancel = timer(pace.checkMs, look)
    if (req.isPaused()) return
    elapsedMs += pace.checkMs
    stalledMs = bytes === seenBytes ? stalledMs + pace.checkMs : 0
    seenBytes = bytes
    const isSlow = elapsedMs > pace.graceMs && bytes * 1000 < elapsedMs * pace.bytesPerSecond
    if (stalledMs >= pace.stallMs || isSlow) overdue.abort(new DomainError('request_timeout', {}))
  }
  paced.add(req)
  req.once('end', end).once('close', end)
  cancel = timer(pace.checkMs, look)
  return {
    overdue: overdue.signal,
    came(count) {
      bytes += count
    },
    answered() {
      cancel()
      // Spared once, Node looks at this request no more: whoever goes on sending for ever is ended here.
      if (!req.readableEnded && !req.destroyed) cancel = timer(pace.restMs, () => req.socket.destroy())
    },
  }
}

export type PaceWatch = Watch & {
  /** From now on the rest of the body is nobody's, and only its time counts. */
  answered(): void
}
