import { expect } from 'chai'
import { createMemoryRateLimiter } from '#adapters/memory/rate-limiter.ts'
import { createMemoryTokenCache } from '#adapters/memory/token-cache.ts'
import { rememberRefusals } from '#adapters/redis/known-refusals.ts'
import { rateLimiterContract } from '../contract/rate-limiter.ts'
import { NOW_MS } from '../support/builders.ts'
import { fakeClock } from '../support/clock.ts'

function opened() {
  const clock = fakeClock(NOW_MS)
  const cache = createMemoryTokenCache({ now: clock.now, ids: () => 'an id' })
  const shared = createMemoryRateLimiter({ now: clock.now, cache })
  let asked = 0
  const counted: typeof shared = {
    ...shared,
    admit(buckets, key) {
      asked++
      return shared.admit(buckets, key)
    },
  }
  return { clock, cache, shared, limiter: rememberRefusals(counted, clock.now), asked: () => asked }
}

rateLimiterContract('that remembers refusals', async () => ({ ...opened(), close: async () => {} }))

describe('a remembered refusal', () => {
  const bucket = { key: 'bearer:a', limit: 2, windowMs: 60_000 }
  const other = { key: 'account:b', limit: 2, windowMs: 60_000 }

  async function full() {
    const all = opened()
    for (let call = 0; call < 3; call++) await all.limiter.admit([bucket])
    return all
  }

  it('costs the shared store one question a second, however often it is asked', async () => {
    const { clock, limiter, asked } = await full()
    for (let call = 0; call < 100; call++) expect((await limiter.admit([bucket])).refusedBy).to.equal(0)
    expect(asked()).to.equal(3)
    clock.advance(1000)
    await limiter.admit([bucket])
    expect(asked()).to.equal(4)
  })

  it('B13 counts the wait down', async () => {
    const { clock, limiter } = await full()
    clock.advance(400)
    expect((await limiter.admit([bucket])).retryAfterMs).to.equal(59_600)
  })

  it('says nothing of other buckets', async () => {
    const { limiter } = await full()
    expect((await limiter.admit([other])).retryAfterMs).to.equal(null)
  })

  it('also answers a call that has a second bucket, and counts it in neither', async () => {
    const { limiter, shared } = await full()
    for (let call = 0; call < 5; call++) expect((await limiter.admit([bucket, other])).refusedBy).to.equal(0)
    expect((await shared.admit([other])).retryAfterMs).to.equal(null)
    expect((await shared.admit([other])).retryAfterMs).to.equal(null)
  })

  it('is forgotten when a hit is given back', async () => {
    const { limiter } = opened()
    const { receipt } = await limiter.admit([bucket])
    await limiter.admit([bucket])
    expect((await limiter.admit([bucket])).retryAfterMs).to.equal(60_000)
    await limiter.giveBack(bucket, receipt)
    expect((await limiter.admit([bucket])).retryAfterMs).to.equal(null)
  })

  it('never outlasts the window: near its end the store is asked each time', async () => {
    const { clock, limiter, asked } = await full()
    clock.advance(59_000)
    await limiter.admit([bucket])
    await limiter.admit([bucket])
    expect(asked()).to.equal(5)
    clock.advance(1000)
    expect((await limiter.admit([bucket])).retryAfterMs).to.equal(null)
  })
})
