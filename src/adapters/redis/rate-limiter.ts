import { randomUUID } from 'node:crypto'
import type { Clock } from '#application/ports/clock.ts'
import type { RateLimiter } from '#application/ports/rate-limiter.ts'
import { type Bucket, retryAfterMs } from '#domain/rate-limit.ts'
import { cacheKey, makeEntryReader } from './cache-entry.ts'
import type { RedisLink } from './open-redis.ts'
import type { Commands } from './scripts.ts'
import { makeTakeHit, type Taken } from './take-hits.ts'

export type RateLimiterSettings = {
  readonly prefix: string
  /** For tests; absent, the server's own clock decides, which all replicas share. */
  readonly now?: Clock
}

/** Sliding windows shared by all replicas: one sorted set of hits a bucket. */
export function createRedisRateLimiter(redis: RedisLink, { prefix, now }: RateLimiterSettings): RateLimiter {
  const readEntry = makeEntryReader()
  const takeHit = makeTakeHit(redis, now)
  // Unique over all replicas at the price of a number: a random id each would cost as much as the script.
  const replica = randomUUID().slice(0, 13)
  let receipts = 0

  /** The part of a bucket's key that names whose it is decides the slot: a token's limit and cache entry share one. */
  function keyOf({ key }: Bucket): string {
    const at = key.indexOf(':') + 1
    return `${prefix}limit:${key.slice(0, at)}{${key.slice(at)}}`
  }

  const ownerOf = ({ key }: Bucket) => key.slice(key.indexOf(':') + 1)

  function take(bucket: Bucket, receipt: string, read: string | null): Promise<Taken> | Taken {
    if (bucket.limit === 0) return ADMITTED
    return takeHit({ key: keyOf(bucket), limit: bucket.limit, windowMs: bucket.windowMs, receipt, read })
  }

  /** The verdicts of all buckets and the cache entry, in one write: the token's own bucket brings the entry along. */
  async function takeAll(buckets: readonly Bucket[], receipt: string, tokenHash: string | undefined) {
    const [first] = buckets
    const entry = tokenHash === undefined ? null : cacheKey(prefix, tokenHash)
    const brings = entry !== null && first !== undefined && first.limit > 0 && ownerOf(first) === tokenHash
    if (brings && buckets.length === 1) {
      const taken = await take(first, receipt, entry)
      return { raw: taken.raw, refusals: [taken.refusal] }
    }
    const [alone, ...taken] = await Promise.all([
      brings || entry === null ? null : redis.ask((commands) => commands.get(entry)),
      ...buckets.map((bucket, index) => take(bucket, receipt, brings && index === 0 ? entry : null)),
    ])
    return { raw: alone ?? taken[0]?.raw ?? null, refusals: taken.map(({ refusal }) => refusal) }
  }

  const remove = (commands: Commands, bucket: Bucket, receipt: string) => commands.zrem(keyOf(bucket), receipt)

  return {
    async admit(buckets, tokenHash) {
      receipts += 1
      const receipt = `${replica}.${receipts}`
      const { raw, refusals } = await takeAll(buckets, receipt, tokenHash)
      const cached = tokenHash === undefined ? MISS : readEntry(raw, tokenHash)
      const index = refusals.findIndex((refusal) => refusal !== null)
      const bucket = buckets[index]
      const refusal = refusals[index] ?? null
      if (bucket === undefined || refusal === null) {
        return { retryAfterMs: null, refusedBy: null, cached, receipt }
      }
      // What the other buckets have just counted is given back: refused calls are not recorded.
      const admitted = buckets.filter((one, other) => one.limit > 0 && refusals[other] === null)
      if (admitted.length > 0) {
        await redis.ask((commands) => Promise.all(admitted.map((one) => remove(commands, one, receipt))))
      }
      const waitMs = retryAfterMs(refusal.oldestMs, bucket.windowMs, refusal.nowMs)
      return { retryAfterMs: waitMs, refusedBy: index, cached, receipt }
    },

    async giveBack(bucket, receipt) {
      await redis.ask((commands) => remove(commands, bucket, receipt))
    },
  }
}

const ADMITTED: Taken = { raw: null, refusal: null }
const MISS = { kind: 'miss' } as const
