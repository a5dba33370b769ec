import type { Bucket } from '#domain/rate-limit.ts'
import type { CacheRead } from './token-cache.ts'

export type Admission = {
  /** Null when every bucket admitted, else how long until the refusing one would. Never below 1000. */
  readonly retryAfterMs: number | null
  /** Which bucket refused; index into the call's list. */
  readonly refusedBy: number | null
  /** What the cache says of `cacheKey`; a miss when none was asked for. */
  readonly cached: CacheRead
  /** Names the hits just recorded, so that `giveBack` can undo them. */
  readonly receipt: string
}

/**
 * Exact sliding windows shared by every replica. Refused calls are not recorded. A bucket with limit 0 is off.
 * The token cache is read in the same write, so that an authenticated request costs one round trip.
 */
export interface RateLimiter {
  admit(buckets: readonly Bucket[], cacheKey?: string): Promise<Admission>
  /** Undoes one admitted hit, and only that one. */
  giveBack(bucket: Bucket, receipt: string): Promise<void>
}
