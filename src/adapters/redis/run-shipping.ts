import type { Timer } from '#application/ports/clock.ts'
import type { Log } from '#application/ports/log.ts'
import type { RunEvent } from '#domain/run.ts'
import type { RedisLink } from './open-redis.ts'

/** Where what is shipped is kept meanwhile. */
export type ToldRuns = {
  begin(runId: string, options: { readonly anew: boolean }): Promise<void>
  told(runId: string, fromSeq: number, maxSize: number): readonly RunEvent[] | null
}

type Needs = {
  readonly keyOf: (runId: string) => string
  readonly channelOf: (runId: string) => string
  readonly local: ToldRuns
  readonly timer: Timer
  readonly log: Log
}

type Shipment = {
  nextSeq: number
  /** What lies in Redis under this name is of a former part. */
  mustClear: boolean
  isClosed: boolean
  /** Another has taken its place. */
  isVoid: boolean
  isUnderway: boolean
  failures: number
  readonly entries: { readonly id: string; readonly size: number }[]
  size: number
}

/** Of one entry, in characters. */
const MAX_ENTRY = 262_144
/** Of one run, as in memory: what is older is dropped. */
const MAX_RUN = 8_388_608
const RETRY_MS = 1000
/** Of a run that has ended. */
const MAX_FAILURES = 60
const FLUSH_MS = 1000
/** Longer than any run is silent; each entry begins it again. */
const RUN_LIFE_MS = 3_600_000
const CLOSED_LIFE_MS = 600_000

/**
 * Writes what runs tell to Redis, in batches and behind the run: what was told while one batch is on its way is the
 * next. An outage holds up nobody here; afterwards all that the memory still has is written.
 */
export function makeRunShipping(redis: RedisLink, { keyOf, channelOf, local, timer, log }: Needs) {
  const shipments = new Map<string, Shipment>()
  let whenIdle = () => {}

  function fresh(mustClear: boolean): Shipment {
    const state = { isClosed: false, isVoid: false, isUnderway: false, failures: 0 }
    return { nextSeq: 1, mustClear, ...state, entries: [], size: 0 }
  }

  function wake(runId: string): void {
    const shipment = shipments.get(runId)
    if (shipment === undefined || shipment.isUnderway) return
    shipment.isUnderway = true
    // After this turn, which is the local readers'.
    setImmediate(() => void ship(runId, shipment))
  }

  async function ship(runId: string, shipment: Shipment): Promise<void> {
    try {
      while (!shipment.isVoid) {
        const events = local.told(runId, shipment.nextSeq, MAX_ENTRY)
        if (events !== null && events.length > 0) await write(runId, shipment, events)
        else if (events === null) return await giveUp(runId, shipment)
        else if (shipment.isClosed) return await finish(runId, shipment)
        else break
      }
      shipment.isUnderway = false
    } catch (error) {
      if (shipment.failures === 0) log.warn('a run cannot be followed from elsewhere for now', { runId, error })
      shipment.failures += 1
      if (shipment.isClosed && shipment.failures > MAX_FAILURES) forget(runId, shipment)
      else timer(RETRY_MS, () => void ship(runId, shipment))
    }
  }

  async function write(runId: string, shipment: Shipment, events: readonly RunEvent[]): Promise<void> {
    const key = keyOf(runId)
    const text = JSON.stringify(events)
    const lastSeq = events.at(-1)?.seq ?? 0
    const id = `${lastSeq}-0`
    await redis.ask((commands) =>
      Promise.all([
        shipment.mustClear ? commands.del(key) : null,
        commands.xadd(key, id, 'events', text).catch(unlessWritten),
        commands.pexpire(key, RUN_LIFE_MS),
        commands.publish(channelOf(runId), ''),
      ]),
    )
    shipment.mustClear = false
    shipment.failures = 0
    shipment.nextSeq = lastSeq + 1
    shipment.entries.push({ id, size: text.length })
    shipment.size += text.length
    await trim(key, shipment)
  }

  async function trim(key: string, shipment: Shipment): Promise<void> {
    if (shipment.size <= MAX_RUN) return
    while (shipment.size > MAX_RUN * 0.75 && shipment.entries.length > 1) {
      shipment.size -= shipment.entries.shift()?.size ?? 0
    }
    const first = shipment.entries[0]
    if (first !== undefined) await redis.ask((commands) => commands.xtrim(key, 'MINID', first.id))
  }

  async function finish(runId: string, shipment: Shipment): Promise<void> {
    await writeEnd(runId)
    forget(runId, shipment)
  }

  function forget(runId: string, shipment: Shipment): void {
    if (shipments.get(runId) === shipment) shipments.delete(runId)
    if (shipments.size === 0) whenIdle()
  }

  /** The outage was longer than the memory; readers elsewhere are cut, as slow ones are. */
  async function giveUp(runId: string, shipment: Shipment): Promise<void> {
    log.warn('a run told more than could be kept for others', { runId })
    await finish(runId, shipment)
  }

  async function writeEnd(runId: string): Promise<void> {
    const key = keyOf(runId)
    await redis.ask((commands) =>
      Promise.all([
        commands.xadd(key, '*', 'end', ''),
        commands.pexpire(key, CLOSED_LIFE_MS),
        commands.publish(channelOf(runId), ''),
      ]),
    )
  }

  return {
    wake,

    async begin(runId: string, { anew }: { readonly anew: boolean }): Promise<void> {
      const former = shipments.get(runId)
      if (former !== undefined) former.isVoid = true
      const shipment = fresh(anew)
      shipments.set(runId, shipment)
      await local.begin(runId, { anew })
      if (!anew) return
      try {
        await redis.ask((commands) => commands.del(keyOf(runId)))
        shipment.mustClear = false
      } catch (error) {
        log.warn('a run cannot be followed from elsewhere for now', { runId, error })
      }
    },

    async close(runId: string): Promise<void> {
      const shipment = shipments.get(runId)
      // Of a process that was killed: whoever found out tells its readers.
      if (shipment === undefined) return writeEnd(runId)
      shipment.isClosed = true
      wake(runId)
    },

    /** Resolves when everything is written, or after a second. */
    async flush(): Promise<void> {
      if (shipments.size === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      whenIdle = resolve
      const cancel = timer(FLUSH_MS, resolve)
      await promise
      cancel()
    },
  }
}

/** Sent a second time because the first answer was lost. */
function unlessWritten(error: unknown): void {
  if (!(error instanceof Error && error.message.includes('equal or smaller'))) throw error
}
