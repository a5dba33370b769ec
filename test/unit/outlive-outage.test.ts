import { expect } from 'chai'
import { newId } from '#adapters/crypto/ids.ts'
import { createMemoryRateLimiter } from '#adapters/memory/rate-limiter.ts'
import { createMemoryTokenCache } from '#adapters/memory/token-cache.ts'
import { outliveOutage } from '#application/auth/outlive-outage.ts'
import type { Log } from '#application/ports/log.ts'
import { DomainError } from '#domain/errors.ts'
import { fakeClock } from '../support/clock.ts'
import { aContext } from '../support/contexts.ts'

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }

/** Shared stores that can be taken away, and what outlives them. */
function start() {
  const { now } = fakeClock()
  const shared = createMemoryTokenCache({ now, ids: newId })
  const sharedLimiter = createMemoryRateLimiter({ now, cache: shared })
  const localLimiter = createMemoryRateLimiter({ now, cache: createMemoryTokenCache({ now, ids: newId }) })
  let away = false
  const fragile = <Store extends object>(store: Store): Store =>
    new Proxy(store, {
      get: (target, name, receiver) => {
        if (away) return async () => Promise.reject(new DomainError('service_unavailable', {}))
        return Reflect.get(target, name, receiver)
      },
    })
  const outliving = outliveOutage({
    limiter: fragile(sharedLimiter),
    cache: fragile(shared),
    localLimiter,
    log: silent,
  })
  return {
    ...outliving,
    read: async (hash: string) => (await sharedLimiter.admit([], hash)).cached.kind,
    setAway(isAway: boolean) {
      away = isAway
    },
  }
}

const bucket = { key: 'bearer:h', limit: 2, windowMs: 60_000 }

describe('outliving the shared limiter and cache', () => {
  it('B26 counts by itself while they are away, and shares again when they are back', async () => {
    const { limiter, setAway } = start()
    setAway(true)
    const verdicts = [await limiter.admit([bucket]), await limiter.admit([bucket]), await limiter.admit([bucket])]
    expect(verdicts.map(({ retryAfterMs }) => retryAfterMs)).to.deep.equal([null, null, 60_000])
    setAway(false)
    expect((await limiter.admit([bucket])).retryAfterMs).to.equal(null)
  })

  it('B26 a token is a miss while the cache is away, so the database decides', async () => {
    const { limiter, cache, setAway } = start()
    await cache.put('h', aContext({ tokenHash: 'h' }))
    setAway(true)
    expect((await limiter.admit([bucket], 'h')).cached.kind).to.equal('miss')
  })

  // Protects a revoke that was acknowledged during an outage: the cached entry from before must not revive it.
  it('a token revoked during an outage is known as dead before its entry can be read again', async () => {
    const { limiter, cache, read, setAway } = start()
    await cache.put('h', aContext({ tokenHash: 'h' }))
    setAway(true)
    await cache.invalidate(['h'])
    setAway(false)
    expect(await read('h')).to.equal('hit')
    expect((await limiter.admit([bucket], 'h')).cached.kind).to.equal('invalid')
  })

  it('memberships changed during an outage are read anew', async () => {
    const { limiter, cache, setAway } = start()
    await cache.put('h', aContext({ tokenHash: 'h' }))
    setAway(true)
    await cache.forget(['h'])
    setAway(false)
    expect((await limiter.admit([bucket], 'h')).cached.kind).to.equal('miss')
  })

  it('a token revoked while a change of its memberships is paid is still owed', async () => {
    const { now } = fakeClock()
    const shared = createMemoryTokenCache({ now, ids: newId })
    const sharedLimiter = createMemoryRateLimiter({ now, cache: shared })
    const away = async () => Promise.reject(new DomainError('service_unavailable', {}))
    const { promise: paying, resolve: goOn } = Promise.withResolvers<void>()
    let state: 'away' | 'flaky' | 'back' = 'away'
    const { limiter, cache } = outliveOutage({
      limiter: sharedLimiter,
      cache: {
        ...shared,
        forget: (hashes) => (state === 'away' ? away() : paying.then(() => shared.forget(hashes))),
        invalidate: (hashes) => (state === 'back' ? shared.invalidate(hashes) : away()),
      },
      localLimiter: sharedLimiter,
      log: silent,
    })
    await shared.put('h', aContext({ tokenHash: 'h' }))
    await cache.forget(['h'])
    state = 'flaky'
    const first = limiter.admit([bucket], 'h')
    await cache.invalidate(['h'])
    goOn()
    await first
    state = 'back'
    expect((await limiter.admit([], 'h')).cached.kind).to.equal('invalid')
  })

  it('a fault that is no outage stays one', async () => {
    const broken = {
      admit: async () => Promise.reject(new TypeError('bug')),
      giveBack: async () => {},
    }
    const { now } = fakeClock()
    const cache = createMemoryTokenCache({ now, ids: newId })
    const localLimiter = createMemoryRateLimiter({ now, cache })
    const { limiter } = outliveOutage({ limiter: broken, cache, localLimiter, log: silent })
    const failed = await limiter.admit([bucket]).catch((error: unknown) => error)
    expect(failed).to.be.instanceOf(TypeError)
  })
})
