import type { Clock } from '#application/ports/clock.ts'
import type { Admission, RateLimiter } from '#application/ports/rate-limiter.ts'

/** Far below every window, and as long as any caller is told to wait at least. */
const REMEMBERED_MS = 1000
const MAX_KNOWN = 10_000

type Refusal = { readonly admission: Admission; readonly atMs: number; readonly untilMs: number }

/**
 * Answers calls of a bucket that was full less than a second ago without asking again: whoever ignores `Retry-After`
 * costs the shared store one command a second, however fast they call. A full window stays full until its oldest hit
 * leaves, whatever others do, so nothing is refused that would have been admitted; only a hit that another replica gives
 * back meanwhile is seen up to a second late.
 * @param elapsed milliseconds that never run backwards
 */
export function rememberRefusals(limiter: RateLimiter, elapsed: Clock): RateLimiter {
  const known = new Map<string, Refusal>()

  /** The window's end is not known to the millisecond once the wait is rounded up to a second. */
  function remember(key: string, admission: Admission, askedAtMs: number): void {
    if (admission.retryAfterMs === null || admission.retryAfterMs <= REMEMBERED_MS) return
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(key, { admission, atMs: elapsed(), untilMs: askedAtMs + REMEMBERED_MS })
  }

  return {
    async admit(buckets, cacheKey) {
      const [first] = buckets
      const refusal = first === undefined ? undefined : known.get(first.key)
      const nowMs = elapsed()
      if (refusal !== undefined && nowMs < refusal.untilMs) return stillRefused(refusal, nowMs)
      if (first !== undefined && refusal !== undefined) known.delete(first.key)
      const admission = await limiter.admit(buckets, cacheKey)
      // Of several, one may have looked full only until another's refusal gave the hit back.
      if (first !== undefined && buckets.length === 1) remember(first.key, admission, nowMs)
      return admission
    },

    async giveBack(bucket, receipt) {
      known.delete(bucket.key)
      await limiter.giveBack(bucket, receipt)
    },
  }
}

function stillRefused({ admission, atMs }: Refusal, nowMs: number): Admission {
  const waitMs = Math.max(1000, (admission.retryAfterMs ?? 0) - (nowMs - atMs))
  return { retryAfterMs: waitMs, refusedBy: 0, cached: { kind: 'miss' }, receipt: admission.receipt }
}
