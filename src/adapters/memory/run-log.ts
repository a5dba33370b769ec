import type { Clock, Timer } from '#application/ports/clock.ts'
import type { RunLog } from '#application/ports/run-log.ts'
import { isEnding, type RunEvent } from '#domain/run.ts'

/** A paced writer waits when the slowest reader is this many events behind; an unpaced one cuts that reader off. */
export const MAX_LAG_EVENTS = 256
/** How long a finished run can still be read. */
export const KEEP_AFTER_CLOSE_MS = 600_000

type Reader = { nextSeq: number; cut: boolean }
type Run = {
  readonly events: RunEvent[]
  readonly readers: Set<Reader>
  closed: boolean
  /** Resolved and renewed whenever anything changes. */
  changed: PromiseWithResolvers<void>
}

/** Events of the runs of one process. */
export function createMemoryRunLog({ now, timer }: { now: Clock; timer: Timer }): RunLog {
  const runs = new Map<string, Run>()

  function runOf(runId: string): Run {
    const known = runs.get(runId)
    if (known !== undefined) return known
    const run: Run = { events: [], readers: new Set(), closed: false, changed: Promise.withResolvers() }
    runs.set(runId, run)
    return run
  }

  function announce(run: Run): void {
    const { resolve } = run.changed
    run.changed = Promise.withResolvers()
    resolve()
  }

  const isBehind = (run: Run) => (reader: Reader) => run.events.length - reader.nextSeq + 1 > MAX_LAG_EVENTS

  return {
    async append(runId, step, { pace }) {
      const run = runOf(runId)
      const event = { ...step, seq: run.events.length + 1, atMs: now() }
      run.events.push(event)
      if (!pace) for (const reader of run.readers) if (isBehind(run)(reader)) reader.cut = true
      announce(run)
      while (pace && [...run.readers].some(isBehind(run))) await run.changed.promise
      return event
    },

    read(runId, fromSeq, signal) {
      const run = runOf(runId)
      const reader: Reader = { nextSeq: fromSeq, cut: false }
      run.readers.add(reader)
      const leave = () => {
        run.readers.delete(reader)
        announce(run)
      }
      signal.addEventListener('abort', leave, { once: true })
      return (async function* () {
        try {
          while (!signal.aborted && !reader.cut) {
            const event = run.events[reader.nextSeq - 1]
            if (event === undefined) {
              if (run.closed) return
              await run.changed.promise
              continue
            }
            reader.nextSeq += 1
            announce(run)
            yield event
            if (isEnding(event)) return
          }
        } finally {
          signal.removeEventListener('abort', leave)
          leave()
        }
      })()
    },

    async close(runId) {
      const run = runOf(runId)
      run.closed = true
      announce(run)
      timer(KEEP_AFTER_CLOSE_MS, () => runs.delete(runId))
    },
  }
}
