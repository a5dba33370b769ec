import { randomUUID } from 'node:crypto'
import type { Clock } from '#application/ports/clock.ts'
import type { RateLimiter } from '#application/ports/rate-limiter.ts'
import { type Bucket, retryAfterMs } from '#domain/rate-limit.ts'
import { cacheKey, makeEntryReader } from './cache-entry.ts'
import type { RedisLink } from './open-redis.ts'
import type { Commands } from './scripts.ts'

export type RateLimiterSettings = {
  readonly prefix: string
  /** For tests; absent, the server's own clock decides, which all replicas share. */
  readonly now?: Clock
}

/** Sliding windows shared by all replicas: one sorted set of hits a bucket. */
export function createRedisRateLimiter(redis: RedisLink, { prefix, now }: RateLimiterSettings): RateLimiter {
  const readEntry = makeEntryReader()
  const keyOf = (bucket: Bucket) => `${prefix}limit:{${bucket.key}}`

  function take(commands: Commands, bucket: Bucket, receipt: string) {
    if (bucket.limit === 0) return null
    return commands.takeHit(keyOf(bucket), bucket.limit, bucket.windowMs, receipt, now?.() ?? '')
  }

  const remove = (commands: Commands, bucket: Bucket, receipt: string) => commands.zrem(keyOf(bucket), receipt)

  return {
    async admit(buckets, tokenHash) {
      const receipt = randomUUID()
      // Issued in one tick: auto-pipelining makes one write of the hits and the cache read.
      const [replies, raw] = await redis.ask((commands) =>
        Promise.all([
          Promise.all(buckets.map((bucket) => take(commands, bucket, receipt))),
          tokenHash === undefined ? null : commands.get(cacheKey(prefix, tokenHash)),
        ]),
      )
      const cached = tokenHash === undefined ? ({ kind: 'miss' } as const) : readEntry(raw, tokenHash)
      for (const [index, reply] of replies.entries()) {
        const [oldest, nowMs] = reply ?? []
        const bucket = buckets[index]
        if (oldest === undefined || nowMs === undefined || bucket === undefined) continue
        // What the other buckets have just counted is given back: refused calls are not recorded.
        const admitted = buckets.filter((_, other) => replies[other]?.length === 0)
        await redis.ask((commands) => Promise.all(admitted.map((one) => remove(commands, one, receipt))))
        const waitMs = retryAfterMs(Number(oldest), bucket.windowMs, Number(nowMs))
        return { retryAfterMs: waitMs, refusedBy: index, cached, receipt }
      }
      return { retryAfterMs: null, refusedBy: null, cached, receipt }
    },

    async giveBack(bucket, receipt) {
      await redis.ask((commands) => remove(commands, bucket, receipt))
    },
  }
}
