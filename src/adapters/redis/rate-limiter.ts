import { randomUUID } from 'node:crypto'
import type { Clock } from '#application/ports/clock.ts'
import type { RateLimiter } from '#application/ports/rate-limiter.ts'
import { type Bucket, retryAfterMs } from '#domain/rate-limit.ts'
import { cacheKey, makeEntryReader } from './cache-entry.ts'
import type { RedisLink } from './open-redis.ts'
import type { Commands, Refusal } from './scripts.ts'

export type RateLimiterSettings = {
  readonly prefix: string
  /** For tests; absent, the server's own clock decides, which all replicas share. */
  readonly now?: Clock
}

/** Sliding windows shared by all replicas: one sorted set of hits a bucket. */
export function createRedisRateLimiter(redis: RedisLink, { prefix, now }: RateLimiterSettings): RateLimiter {
  const readEntry = makeEntryReader()
  // Unique over all replicas at the price of a number: a random id each would cost as much as the script.
  const replica = randomUUID().slice(0, 13)
  let receipts = 0

  /** The part of a bucket's key that names whose it is decides the slot: a token's limit and cache entry share one. */
  function keyOf({ key }: Bucket): string {
    const at = key.indexOf(':') + 1
    return `${prefix}limit:${key.slice(0, at)}{${key.slice(at)}}`
  }

  const isOf = ({ key, limit }: Bucket, tokenHash: string) => limit > 0 && key.slice(key.indexOf(':') + 1) === tokenHash

  function take(commands: Commands, bucket: Bucket, receipt: string): Promise<Refusal> | Refusal {
    if (bucket.limit === 0) return ADMITTED
    return commands.takeHit(keyOf(bucket), bucket.limit, bucket.windowMs, receipt, now?.() ?? '')
  }

  /** The verdicts of all buckets and the cache entry, in one write: the token's own bucket brings the entry along. */
  function ask(buckets: readonly Bucket[], receipt: string, tokenHash: string | undefined): Promise<Asked> {
    const carrier = tokenHash === undefined ? -1 : buckets.findIndex((bucket) => isOf(bucket, tokenHash))
    const bucket = buckets[carrier]
    return redis.ask(async (commands) => {
      if (tokenHash === undefined || bucket === undefined) {
        const [raw, ...refusals] = await Promise.all([
          tokenHash === undefined ? null : commands.get(cacheKey(prefix, tokenHash)),
          ...buckets.map((one) => take(commands, one, receipt)),
        ])
        return { raw, refusals }
      }
      const { limit, windowMs } = bucket
      const read = commands.takeHitAndRead(
        keyOf(bucket),
        cacheKey(prefix, tokenHash),
        limit,
        windowMs,
        receipt,
        now?.() ?? '',
      )
      if (buckets.length === 1) {
        const [raw, refusal] = await read
        return { raw, refusals: [refusal] }
      }
      const others = buckets.map((one) => (one === bucket ? ADMITTED : take(commands, one, receipt)))
      const [[raw, refusal], ...refusals] = await Promise.all([read, ...others])
      return { raw, refusals: refusals.with(carrier, refusal) }
    })
  }

  const remove = (commands: Commands, bucket: Bucket, receipt: string) => commands.zrem(keyOf(bucket), receipt)

  return {
    async admit(buckets, tokenHash) {
      receipts += 1
      const receipt = `${replica}.${receipts}`
      const { raw, refusals } = await ask(buckets, receipt, tokenHash)
      const cached = tokenHash === undefined ? MISS : readEntry(raw, tokenHash)
      const index = refusals.findIndex((refusal) => refusal.length > 0)
      const bucket = buckets[index]
      const [oldest, nowMs] = refusals[index] ?? []
      if (bucket === undefined || oldest === undefined || nowMs === undefined) {
        return { retryAfterMs: null, refusedBy: null, cached, receipt }
      }
      // What the other buckets have just counted is given back: refused calls are not recorded.
      const admitted = buckets.filter((one, other) => one.limit > 0 && refusals[other]?.length === 0)
      if (admitted.length > 0) {
        await redis.ask((commands) => Promise.all(admitted.map((one) => remove(commands, one, receipt))))
      }
      const waitMs = retryAfterMs(Number(oldest), bucket.windowMs, Number(nowMs))
      return { retryAfterMs: waitMs, refusedBy: index, cached, receipt }
    },

    async giveBack(bucket, receipt) {
      await redis.ask((commands) => remove(commands, bucket, receipt))
    },
  }
}

type Asked = { readonly raw: string | null; readonly refusals: readonly Refusal[] }

const ADMITTED: Refusal = []
const MISS = { kind: 'miss' } as const
