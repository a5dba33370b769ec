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
    const [first] = buckets
    const carrier = tokenHash !== undefined && first !== undefined && isOf(first, tokenHash) ? first : null
    if (carrier !== null && tokenHash !== undefined && buckets.length === 1) {
      return redis.ask((commands) => takeAndRead(commands, carrier, receipt, tokenHash))
    }
    return redis.ask(async (commands) => {
      const [read, ...others] = await Promise.all([
        carrier === null || tokenHash === undefined
          ? readAlone(commands, tokenHash)
          : takeAndRead(commands, carrier, receipt, tokenHash),
        ...buckets.filter((bucket) => bucket !== carrier).map((bucket) => take(commands, bucket, receipt)),
      ])
      return [read[0], ...(carrier === null ? [] : [read[1]]), ...others]
    })
  }

  function takeAndRead(commands: Commands, bucket: Bucket, receipt: string, tokenHash: string) {
    const entry = cacheKey(prefix, tokenHash)
    return commands.takeHitAndRead(keyOf(bucket), entry, bucket.limit, bucket.windowMs, receipt, now?.() ?? '')
  }

  async function readAlone(
    commands: Commands,
    tokenHash: string | undefined,
  ): Promise<readonly [string | null, Refusal]> {
    return [tokenHash === undefined ? null : await commands.get(cacheKey(prefix, tokenHash)), ADMITTED]
  }

  const remove = (commands: Commands, bucket: Bucket, receipt: string) => commands.zrem(keyOf(bucket), receipt)

  return {
    async admit(buckets, tokenHash) {
      receipts += 1
      const receipt = `${replica}.${receipts}`
      const [raw, ...refusals] = await ask(buckets, receipt, tokenHash)
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

/** The cache entry, then a verdict a bucket, in their order: a bearer's own limit comes first. */
type Asked = readonly [raw: string | null, ...refusals: Refusal[]]

const ADMITTED: Refusal = []
const MISS = { kind: 'miss' } as const
