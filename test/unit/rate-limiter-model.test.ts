import { createMemoryRateLimiter } from '#adapters/memory/rate-limiter.ts'
import { createMemoryTokenCache } from '#adapters/memory/token-cache.ts'
import { rateLimiterModel } from '../contract/rate-limiter-model.ts'
import { NOW_MS } from '../support/builders.ts'
import { fakeClock } from '../support/clock.ts'

rateLimiterModel(
  'memory',
  async () => {
    const clock = fakeClock(NOW_MS)
    const cache = createMemoryTokenCache({ now: clock.now, ids: () => 'an id' })
    return { limiter: createMemoryRateLimiter({ now: clock.now, cache }), clock, close: async () => {} }
  },
  1_000,
)
