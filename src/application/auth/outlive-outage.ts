import { DomainError } from '#domain/errors.ts'
import type { Log } from '../ports/log.ts'
import type { RateLimiter } from '../ports/rate-limiter.ts'
import type { TokenCache } from '../ports/token-cache.ts'

type Needs = {
  limiter: RateLimiter
  cache: TokenCache
  /** Counts for this replica alone while the shared one is away. */
  localLimiter: RateLimiter
  log: Log
}

/** Changes remembered while the cache is away; beyond this the oldest is left to its entry's own end. */
const MAX_OWED = 10_000

/**
 * Keeps bearers working while the shared limiter and cache are away: this replica counts by itself and every token
 * is resolved in the database. Device flows have no second home, so their routes answer 503 by themselves.
 *
 * A token revoked meanwhile is dead in the database at once, but its entry may still stand in the cache. That debt is
 * paid before the cache is read again, so this replica never honours it; another one may, until the entry's own
 * minute is over.
 */
export function outliveOutage({ limiter, cache, localLimiter, log }: Needs): {
  limiter: RateLimiter
  cache: TokenCache
} {
  const owed = new Map<string, 'invalidate' | 'forget'>()

  async function payDebts(): Promise<void> {
    for (const what of ['invalidate', 'forget'] as const) {
      const hashes = [...owed].filter(([, debt]) => debt === what).map(([hash]) => hash)
      if (hashes.length === 0) continue
      await cache[what](hashes)
      // What came to be owed while this was paid is still to come.
      for (const hash of hashes) if (owed.get(hash) === what) owed.delete(hash)
      log.info('changes of tokens reached the cache', { what, tokens: hashes.length })
    }
  }

  const owe = (what: 'invalidate' | 'forget') => async (hashes: readonly string[]) => {
    log.warn('changes of tokens wait for the cache', { what, tokens: hashes.length })
    for (const hash of hashes) if (owed.get(hash) !== 'invalidate') owed.set(hash, what)
    for (const hash of owed.keys()) {
      if (owed.size <= MAX_OWED) return
      owed.delete(hash)
    }
  }

  return {
    limiter: {
      admit: (buckets, cacheKey) =>
        orElse(
          () =>
            owed.size === 0
              ? limiter.admit(buckets, cacheKey)
              : payDebts().then(() => limiter.admit(buckets, cacheKey)),
          () => localLimiter.admit(buckets),
        ),
      giveBack: (bucket, receipt) =>
        orElse(
          () => limiter.giveBack(bucket, receipt),
          () => localLimiter.giveBack(bucket, receipt),
        ),
    },
    cache: {
      put: (hash, context) => orElse(() => cache.put(hash, context), nothing),
      putMiss: (hash) => orElse(() => cache.putMiss(hash), nothing),
      recordVerdict: (...verdict) => orElse(() => cache.recordVerdict(...verdict), nothing),
      invalidate: (hashes) =>
        orElse(
          () => cache.invalidate(hashes),
          () => owe('invalidate')(hashes),
        ),
      forget: (hashes) =>
        orElse(
          () => cache.forget(hashes),
          () => owe('forget')(hashes),
        ),
    },
  }
}

async function nothing(): Promise<void> {}

/** The second way, when the first is away. Any other failure stays one. */
async function orElse<R>(first: () => Promise<R>, second: () => Promise<R>): Promise<R> {
  try {
    return await first()
  } catch (error) {
    if (error instanceof DomainError && error.code === 'service_unavailable') return second()
    throw error
  }
}
