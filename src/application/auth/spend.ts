import type { AuditEvent } from '#domain/audit-event.ts'
import { DomainError } from '#domain/errors.ts'
import type { Bucket } from '#domain/rate-limit.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { RateLimiter } from '../ports/rate-limiter.ts'

type Needs = { limiter: RateLimiter; audit: AuditLog; now: Clock }
type Who = { readonly ip: string | null; readonly accountId: string | null }

/** Records that a limit was hit, at most once a window and bucket, so that a flood cannot fill the audit log. */
export type NoteLimitHit = (bucket: Bucket, who: () => Who) => Promise<void>

const MAX_NOTED = 10_000

export function makeNoteLimitHit({ audit, now }: Omit<Needs, 'limiter'>): NoteLimitHit {
  const notedUntilMs = new Map<string, number>()
  return async (bucket, who) => {
    if (now() < (notedUntilMs.get(bucket.key) ?? 0)) return
    if (notedUntilMs.size >= MAX_NOTED) notedUntilMs.clear()
    notedUntilMs.set(bucket.key, now() + bucket.windowMs)
    const [limit = ''] = bucket.key.split(':')
    const event: AuditEvent = { event: 'rate_limit.hit', facts: { limit, ...who() } }
    try {
      await audit.append(event, now())
    } catch (error) {
      notedUntilMs.delete(bucket.key)
      throw error
    }
  }
}

/** Takes one call out of `bucket`; the receipt gives it back. @throws DomainError `rate_limited` */
export type Spend = (bucket: Bucket, who: Who) => Promise<string>

export function makeSpend(needs: Needs, noteLimitHit: NoteLimitHit): Spend {
  return async (bucket, who) => {
    const { retryAfterMs, receipt } = await needs.limiter.admit([bucket])
    if (retryAfterMs === null) return receipt
    await noteLimitHit(bucket, () => who)
    throw new DomainError('rate_limited', { retryAfterMs })
  }
}
