import type { Timer } from '#application/ports/clock.ts'
import type { Log } from '#application/ports/log.ts'
import type { RunLog } from '#application/ports/run-log.ts'
import { isEnding, type RunEvent } from '#domain/run.ts'
import type { RedisLink } from './open-redis.ts'
import { makeRunShipping, type ToldRuns } from './run-shipping.ts'
import type { Subscriber } from './subscriber.ts'

/** What the runs carried by this process tell. */
export type LocalRunLog = RunLog & ToldRuns & { isCarried(runId: string): boolean }

export type RunLogSettings = {
  readonly prefix: string
  readonly subscriber: Subscriber
  readonly local: LocalRunLog
  readonly timer: Timer
  readonly log: Log
}

export type RedisRunLog = RunLog & {
  /** Resolves when what was told is in Redis, or after about a second. */
  flush(): Promise<void>
}

/** Entries asked for at once, which is what one slow reader costs in memory. */
const PAGE = 8
/** Nobody is told of a message that an outage swallowed. */
const LOOK_AGAIN_MS = 1000

/**
 * Runs that any process can read: each is told in its own process first, from memory, and beside that written to a
 * stream in Redis, many events an entry. The id of an entry is the `seq` of its last event.
 */
export function createRedisRunLog(redis: RedisLink, settings: RunLogSettings): RedisRunLog {
  const { prefix, subscriber, local, timer, log } = settings
  const keyOf = (runId: string) => `${prefix}run-log:{${runId}}`
  const channelOf = (runId: string) => `${prefix}run-told:${runId}`
  const shipping = makeRunShipping(redis, { keyOf, channelOf, local, timer, log })

  async function* readShared(runId: string, from: number | 'now', signal: AbortSignal): AsyncGenerator<RunEvent> {
    const key = keyOf(runId)
    const bell = makeBell(timer, signal)
    const leave = subscriber.listen(channelOf(runId), bell.ring)
    try {
      let after = from === 'now' ? await lastId(key) : `${from - 1}-0`
      let nextSeq = from === 'now' ? null : from
      while (!signal.aborted) {
        bell.hush()
        const entries = await redis.ask((commands) => commands.xrange(key, `(${after}`, '+', 'COUNT', PAGE))
        for (const [id, fields] of entries) {
          after = id
          if (fields[0] === 'end') return
          for (const event of eventsIn(fields[1])) {
            if (nextSeq !== null && event.seq < nextSeq) continue
            // What it needs was dropped meanwhile.
            if (nextSeq !== null && event.seq > nextSeq) return
            if (signal.aborted) return
            yield event
            nextSeq = event.seq + 1
            if (isEnding(event)) return
          }
        }
        if (entries.length < PAGE) await bell.rung()
      }
    } finally {
      leave()
    }
  }

  async function lastId(key: string): Promise<string> {
    const [last] = await redis.ask((commands) => commands.xrevrange(key, '+', '-', 'COUNT', 1))
    return last?.[0] ?? '0-0'
  }

  return {
    begin: (runId, { anew }) => shipping.begin(runId, { anew }),

    append(runId, step, options) {
      // Told before this returns, whatever it then waits for.
      const appended = local.append(runId, step, options)
      shipping.wake(runId)
      return appended
    },

    async reach(runId) {
      if (!local.isCarried(runId)) await lastId(keyOf(runId))
    },

    async *read(runId, from, signal) {
      yield* local.isCarried(runId) ? local.read(runId, from, signal) : readShared(runId, from, signal)
    },

    async close(runId) {
      await local.close(runId)
      await shipping.close(runId)
    },

    flush: () => shipping.flush(),
  }
}

/** Wakes one sleeper; what rings while nobody sleeps is remembered. */
function makeBell(timer: Timer, signal: AbortSignal) {
  let hasRung = false
  let wake = () => {}
  const ring = () => {
    hasRung = true
    wake()
  }
  return {
    ring,
    hush() {
      hasRung = false
    },
    async rung(): Promise<void> {
      if (hasRung || signal.aborted) return
      const cancel = timer(LOOK_AGAIN_MS, ring)
      signal.addEventListener('abort', ring)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
      signal.removeEventListener('abort', ring)
      cancel()
    },
  }
}

function eventsIn(text: string | undefined): readonly RunEvent[] {
  const events: unknown = JSON.parse(text ?? '')
  if (!Array.isArray(events) || !events.every(isEvent)) throw new Error('a run log in Redis is unreadable')
  return events
}

/** Written by this program alone; a newer or older one of it may know other kinds. */
function isEvent(value: unknown): value is RunEvent {
  if (typeof value !== 'object' || value === null) return false
  const { seq, kind, atMs } = value as { readonly [name: string]: unknown }
  return Number.isInteger(seq) && typeof kind === 'string' && typeof atMs === 'number'
}
