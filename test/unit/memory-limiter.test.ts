import { expect } from 'chai'
import { createMemoryRateLimiter } from '#adapters/memory/rate-limiter.ts'
import { createMemoryTokenCache } from '#adapters/memory/token-cache.ts'
import { rateLimiterContract } from '../contract/rate-limiter.ts'
import { NOW_MS } from '../support/builders.ts'
import { fakeClock } from '../support/clock.ts'

const ids = () => 'an id'

rateLimiterContract('memory', async () => {
  const clock = fakeClock(NOW_MS)
  const cache = createMemoryTokenCache({ now: clock.now, ids })
  return { limiter: createMemoryRateLimiter({ now: clock.now, cache }), cache, clock, close: async () => {} }
})

describe('memory limiter bounds', () => {
  it('forgets the bucket unused for longest when a flood of keys fills it', async () => {
    const { now } = fakeClock(NOW_MS)
    const limiter = createMemoryRateLimiter({ now, cache: createMemoryTokenCache({ now, ids }), maxBuckets: 2 })
    const hit = (key: string) => limiter.admit([{ key, limit: 1, windowMs: 60_000 }])
    await hit('oldest')
    await hit('kept')
    await hit('newest')
    expect((await hit('kept')).retryAfterMs).to.equal(60_000)
    expect((await hit('oldest')).retryAfterMs).to.equal(null)
  })
})
