import type { Clock } from '#application/ports/clock.ts'
import type { RateLimiter } from '#application/ports/rate-limiter.ts'
import type { CacheRead } from '#application/ports/token-cache.ts'
import { type Bucket, retryAfterMs } from '#domain/rate-limit.ts'
import { ExpiringMap } from './expiring-map.ts'

export type MemoryLimiterSettings = {
  readonly now: Clock
  /** Read along with the limits, as the shared limiter does in its one write. */
  readonly cache: { read(tokenHash: string): CacheRead }
  /** Of one kind of limit. */
  readonly maxBuckets?: number
}

type Hit = { readonly atMs: number; readonly receipt: string }

/**
 * Sliding windows of one process. When a flood of keys fills it, the bucket unused for longest is forgotten: of the same
 * kind only, or whoever makes up tokens, each a bucket of its own, would have failed sign-ins forgotten.
 */
export function createMemoryRateLimiter({ now, cache, maxBuckets = 100_000 }: MemoryLimiterSettings): RateLimiter {
  const kinds = new Map<string, ExpiringMap<readonly Hit[]>>()
  let calls = 0

  function windowsOf({ key }: Bucket): ExpiringMap<readonly Hit[]> {
    const kind = key.slice(0, key.indexOf(':') + 1)
    const windows = kinds.get(kind) ?? new ExpiringMap<readonly Hit[]>(now, maxBuckets)
    kinds.set(kind, windows)
    return windows
  }

  function hitsIn(bucket: Bucket): readonly Hit[] {
    const sinceMs = now() - bucket.windowMs
    const hits = windowsOf(bucket).get(bucket.key) ?? []
    return hits.filter(({ atMs }) => atMs > sinceMs)
  }

  function keep(bucket: Bucket, hits: readonly Hit[]): void {
    const windows = windowsOf(bucket)
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
      const windows = windowsOf(bucket)
      const hits = windows.get(bucket.key) ?? []
      const left = hits.filter((hit) => hit.receipt !== receipt)
      if (left.length === 0) windows.delete(bucket.key)
      else if (left.length < hits.length) keep(bucket, left)
    },
  }
}
