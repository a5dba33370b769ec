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

  // Anybody can make up any number of well-formed tokens, each a bucket of its own.
  it('security: a flood of tokens does not make it forget who has failed to sign in', async () => {
    const { now } = fakeClock(NOW_MS)
    const limiter = createMemoryRateLimiter({ now, cache: createMemoryTokenCache({ now, ids }), maxBuckets: 2 })
    const hit = (key: string) => limiter.admit([{ key, limit: 1, windowMs: 60_000 }])
    await hit('login:192.0.2.1:mia@example.test')
    for (const token of ['one', 'two', 'three', 'four']) await hit(`bearer:${token}`)
    expect((await hit('login:192.0.2.1:mia@example.test')).retryAfterMs).to.equal(60_000)
  })

  it('keeps nothing of a bucket whose hits were all given back', async () => {
    const { now } = fakeClock(NOW_MS)
    const limiter = createMemoryRateLimiter({ now, cache: createMemoryTokenCache({ now, ids }), maxBuckets: 2 })
    const bucket = (key: string) => ({ key, limit: 1, windowMs: 60_000 })
    await limiter.admit([bucket('failed')])
    for (const key of ['one', 'two', 'three']) {
      const { receipt } = await limiter.admit([bucket(key)])
      await limiter.giveBack(bucket(key), receipt)
    }
    expect((await limiter.admit([bucket('failed')])).retryAfterMs).to.equal(60_000)
  })
})
