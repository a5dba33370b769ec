import type { RunSlots, Slot } from '#application/ports/run-slots.ts'
import { DomainError } from '#domain/errors.ts'
import type { RedisLink } from './open-redis.ts'
import { makeTakeHit } from './take-hits.ts'

export type RunSlotSettings = {
  readonly prefix: string
  /** Counts this process's own runs while Redis is away. */
  readonly local: RunSlots
}

const LEASE_MS = 60_000
const NO_LIMIT = 1_000_000_000

/** A sorted set of leases a workspace: a sliding window in which each run is the newest hit again as long as it lasts. */
export function createRedisRunSlots(redis: RedisLink, { prefix, local }: RunSlotSettings): RunSlots {
  const keyOf = ({ workspaceId }: Slot) => `${prefix}runs:{${workspaceId}}`
  const takeHit = makeTakeHit(redis)
  const lease = (slot: Slot, limit: number) =>
    takeHit({ key: keyOf(slot), limit, windowMs: LEASE_MS, receipt: slot.runId, read: null })

  return {
    async take(slot, limit) {
      const isFree = await outlive(
        async () => (await lease(slot, limit)).refusal === null,
        () => local.take(slot, limit),
      )
      if (isFree) await local.renew([slot])
      return isFree
    },
    async renew(slots) {
      for (const slot of slots) {
        await outlive(
          async () => void (await lease(slot, NO_LIMIT)),
          async () => {},
        )
      }
    },
    async free(slot) {
      await local.free(slot)
      // One that cannot be given back expires.
      await outlive(
        async () => void (await redis.ask((commands) => commands.zrem(keyOf(slot), slot.runId))),
        async () => {},
      )
    },
  }
}

async function outlive<R>(ask: () => Promise<R>, without: () => Promise<R>): Promise<R> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof DomainError && error.code === 'service_unavailable') return without()
    throw error
  }
}
