import { DomainError } from '#domain/errors.ts'

/**
 * Does `work`, unless as much as may be is under way for `key` in this process.
 * @throws DomainError `rate_limited`
 */
export type AtOnce = <R>(key: string, work: () => Promise<R>) => Promise<R>

/** What is under way is done by then. */
const RETRY_AFTER_MS = 5000

export function makeAtOnce(max: number): AtOnce {
  const underWay = new Map<string, number>()
  return async (key, work) => {
    const before = underWay.get(key) ?? 0
    if (before >= max) throw new DomainError('rate_limited', { retryAfterMs: RETRY_AFTER_MS })
    underWay.set(key, before + 1)
    try {
      return await work()
    } finally {
      const left = (underWay.get(key) ?? 1) - 1
      if (left > 0) underWay.set(key, left)
      else underWay.delete(key)
    }
  }
}
