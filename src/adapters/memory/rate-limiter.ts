import type { Clock } from '#application/ports/clock.ts'
import type { RateLimiter } from '#application/ports/rate-limiter.ts'
import type { CacheRead } from '#application/ports/token-cache.ts'
import { type Bucket, retryAfterMs } from '#domain/rate-limit.ts'
import { ExpiringMap } from './expiring-map.ts'

export type MemoryLimiterSettings = {
  readonly now: Clock
  /** Read along with the limits, as the shared limiter does in its one write. */
  readonly cache: { read(tokenHash: string): CacheRead }
  readonly maxBuckets?: number
}

type Hit = { readonly atMs: number; readonly receipt: string }

/** Sliding windows of one process. When a flood of keys fills it, the bucket unused for longest is forgotten. */
export function createMemoryRateLimiter({ now, cache, maxBuckets = 100_000 }: MemoryLimiterSettings): RateLimiter {
  const windows = new ExpiringMap<readonly Hit[]>(now, maxBuckets)
  let calls = 0

  function hitsIn(bucket: Bucket): readonly Hit[] {
    const sinceMs = now() - bucket.windowMs
    const hits = windows.get(bucket.key) ?? []
    return hits.filter(({ atMs }) => atMs > sinceMs)
  }

  function keep(bucket: Bucket, hits: readonly Hit[]): void {
    if (!windows.hasRoom(bucket.key)) windows.dropOldest()
    windows.set(bucket.key, hits, now() + bucket.windowMs)
  }

  return {
    async admit(buckets, tokenHash) {
      const receipt = String(++calls)
      const cached: CacheRead = tokenHash === undefined ? { kind: 'miss' } : cache.read(tokenHash)
      const active = buckets.filter(({ limit }) => limit > 0).map((bucket) => ({ bucket, hits: hitsIn(bucket) }))
      for (const { bucket, hits } of active) {
        const [oldest] = hits
        if (oldest === undefined || hits.length < bucket.limit) continue
        const waitMs = retryAfterMs(oldest.atMs, bucket.windowMs, now())
        return { retryAfterMs: waitMs, refusedBy: buckets.indexOf(bucket), cached, receipt }
      }
      for (const { bucket, hits } of active) keep(bucket, [...hits, { atMs: now(), receipt }])
      return { retryAfterMs: null, refusedBy: null, cached, receipt }
    },

    async giveBack(bucket, receipt) {
      const hits = windows.get(bucket.key) ?? []
      if (hits.some((hit) => hit.receipt === receipt)) {
        keep(
          bucket,
          hits.filter((hit) => hit.receipt !== receipt),
        )
      }
    },
  }
}
