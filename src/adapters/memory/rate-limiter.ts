import type { Clock } from '#application/ports/clock.ts'
import type { RateLimiter } from '#application/ports/rate-limiter.ts'
import { type Bucket, retryAfterMs } from '#domain/rate-limit.ts'
import { ExpiringMap } from './expiring-map.ts'
import type { MemoryTokenCache } from './token-cache.ts'

type Hit = { readonly atMs: number; readonly receipt: string }

/** Exact sliding windows of one process. */
export function createMemoryRateLimiter(needs: { now: Clock; cache: Pick<MemoryTokenCache, 'read'> }): RateLimiter {
  const { now, cache } = needs
  const windows = new ExpiringMap<readonly Hit[]>(now)
  let receipts = 0

  /** Null when admitted and recorded, else how long to wait. */
  function spend({ key, limit, windowMs }: Bucket, receipt: string): number | null {
    if (limit === 0) return null
    const atMs = now()
    const live = (windows.get(key) ?? []).filter((hit) => hit.atMs > atMs - windowMs)
    const oldest = live[0]
    if (oldest !== undefined && live.length >= limit) return retryAfterMs(oldest.atMs, windowMs, atMs)
    windows.set(key, [...live, { atMs, receipt }], atMs + 2 * windowMs)
    return null
  }

  return {
    async admit(buckets, cacheKey) {
      receipts += 1
      const receipt = String(receipts)
      const waits = buckets.map((bucket) => spend(bucket, receipt))
      const refusedBy = waits.findIndex((wait) => wait !== null)
      return {
        retryAfterMs: waits[refusedBy] ?? null,
        refusedBy: refusedBy === -1 ? null : refusedBy,
        cached: cacheKey === undefined ? { kind: 'miss' } : cache.read(cacheKey),
        receipt,
      }
    },
    async giveBack({ key, windowMs }, receipt) {
      const hits = windows.get(key)
      if (hits === null) return
      windows.set(
        key,
        hits.filter((hit) => hit.receipt !== receipt),
        now() + 2 * windowMs,
      )
    },
  }
}
