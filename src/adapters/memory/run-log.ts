import type { Clock, Timer } from '#application/ports/clock.ts'
import type { RunLog } from '#application/ports/run-log.ts'
import { isEnding, type RunEvent } from '#domain/run.ts'
import { RunTape } from './run-tape.ts'

export type MemoryRunLogSettings = {
  readonly now: Clock
  readonly timer: Timer
  /** What one run may keep, in characters of its events; older ones are dropped, and their readers cut. */
  readonly maxRunSize?: number
  /** What all runs may keep; beyond it the runs closed longest ago are dropped early. */
  readonly maxTotalSize?: number
}

export type MemoryRunLog = RunLog & {
  /** Whether this process carries the run, and it can still tell something. */
  isCarried(runId: string): boolean
  /** What was told from `fromSeq` on, about `maxSize` characters of it; null when it is not all there any more. */
  told(runId: string, fromSeq: number, maxSize: number): readonly RunEvent[] | null
}

/** How far a reader may be behind a paced run. */
const MAX_LAG = { events: 256, size: 1_048_576 }
/** A reader that holds a paced run up for so long is cut; its connection is as good as dead. */
const STALL_MS = 30_000
const KEEP_CLOSED_MS = 600_000

/**
 * Runs of this process, as tapes with many readers. A run keeps the newest 8 Mi characters of its events, all runs 256
 * Mi together: a reader that needs what was dropped is cut, everybody else sees every event.
 */
export function createMemoryRunLog(settings: MemoryRunLogSettings): MemoryRunLog {
  const { now, timer, maxRunSize = 8_388_608, maxTotalSize = 268_435_456 } = settings
  const tapes = new Map<string, RunTape>()
  /** When each was closed, oldest first. Dropped in passing: a timer of ten minutes would keep the process alive. */
  const closedAtMs = new Map<string, number>()
  let totalSize = 0

  function tapeOf(runId: string): RunTape {
    const known = tapes.get(runId)
    if (known !== undefined) return known
    const tape = new RunTape(maxRunSize)
    tapes.set(runId, tape)
    return tape
  }

  function drop(runId: string): void {
    closedAtMs.delete(runId)
    totalSize -= tapes.get(runId)?.size ?? 0
    tapes.delete(runId)
  }

  function dropOld(): void {
    for (const [runId, atMs] of closedAtMs) {
      if (totalSize <= maxTotalSize && now() < atMs + KEEP_CLOSED_MS) return
      drop(runId)
    }
  }

  return {
    async begin(runId, { anew }) {
      if (anew && closedAtMs.has(runId)) drop(runId)
      tapeOf(runId).carry()
    },

    isCarried: (runId) => tapes.get(runId)?.isCarried === true,

    told: (runId, fromSeq, maxSize) => tapes.get(runId)?.slice(fromSeq, maxSize) ?? null,

    async append(runId, step, { pace }) {
      const tape = tapeOf(runId)
      const before = tape.size
      const event = tape.append(step, now())
      totalSize += tape.size - before
      dropOld()
      if (pace && !isEnding(step)) await tape.untilReadersAreNear(MAX_LAG, STALL_MS, timer)
      return event
    },

    async reach() {},

    async *read(runId, from, signal) {
      dropOld()
      const tape = tapeOf(runId)
      try {
        yield* tape.read(from, signal)
      } finally {
        if (tape.isUnused && tapes.get(runId) === tape) tapes.delete(runId)
      }
    },

    async close(runId) {
      const tape = tapes.get(runId)
      if (tape === undefined || closedAtMs.has(runId)) return
      tape.close()
      closedAtMs.set(runId, now())
    },
  }
}
