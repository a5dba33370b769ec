import { expect } from 'chai'
import { sha256Hex } from '#adapters/crypto/digest.ts'
import { cacheKey, readEntry } from '#adapters/redis/cache-entry.ts'
import { createRedisDeviceFlowStore } from '#adapters/redis/device-flow-store.ts'
import { createRedisNonceGuard } from '#adapters/redis/nonce-guard.ts'
import { createRedisRateLimiter } from '#adapters/redis/rate-limiter.ts'
import { createRedisTokenCache } from '#adapters/redis/token-cache.ts'
import type { Log } from '#application/ports/log.ts'
import { deviceFlowStoreContract } from '../contract/device-flow-store.ts'
import { nonceGuardContract } from '../contract/nonce-guard.ts'
import { rateLimiterContract } from '../contract/rate-limiter.ts'
import { tokenCacheContract } from '../contract/token-cache.ts'
import { aFlow, NOW_MS } from '../support/builders.ts'
import { fakeClock } from '../support/clock.ts'
import { aContext } from '../support/contexts.ts'
import { openTestRedis, type TestRedis } from '../support/redis.ts'
import { suiteFor } from '../support/services.ts'

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }

suiteFor('redis')('Redis stores', () => {
  deviceFlowStoreContract('redis', async () => {
    const { redis, prefix, close } = await openTestRedis()
    const clock = fakeClock(NOW_MS)
    return { store: createRedisDeviceFlowStore(redis, { prefix, now: clock.now, log: silent }), clock, close }
  })

  rateLimiterContract('redis', async () => {
    const { redis, prefix, close } = await openTestRedis()
    const clock = fakeClock(NOW_MS)
    const { now } = clock
    const cache = createRedisTokenCache(redis, { prefix, now })
    return { limiter: createRedisRateLimiter(redis, { prefix, now }), cache, clock, close }
  })

  tokenCacheContract('redis', async () => {
    const { redis, raw, prefix, close } = await openTestRedis()
    const cache = createRedisTokenCache(redis, { prefix, now: () => NOW_MS })
    const keyOf = (hash: string) => cacheKey(prefix, hash)
    return {
      cache,
      read: async (hash) => readEntry(await raw.get(keyOf(hash)), hash),
      // The server's own clock cannot be moved; the entry's life can.
      age: async (hash, ms) =>
        void (await raw.pexpire(keyOf(hash), Math.round(((await raw.pttl(keyOf(hash))) - ms) / 1000) * 1000)),
      close,
    }
  })

  nonceGuardContract('redis', async () => {
    const { redis, raw, prefix, keys, close } = await openTestRedis()
    return {
      nonces: createRedisNonceGuard(redis, { prefix, digest: sha256Hex }),
      // As above: what is left of each life.
      async age(ms) {
        for (const key of await keys()) await raw.pexpire(key, Math.round(((await raw.pttl(key)) - ms) / 1000) * 1000)
      },
      close,
    }
  })

  describe('what lies in Redis', () => {
    let opened: TestRedis
    beforeEach(async () => {
      opened = await openTestRedis()
    })
    afterEach(() => opened.close())

    it('every key carries the prefix and a life', async () => {
      const { redis, raw, prefix } = opened
      const now = () => NOW_MS
      const context = aContext()
      await createRedisDeviceFlowStore(redis, { prefix, now, log: silent }).insert(aFlow(), 'ABCD-EFGH')
      const bucket = { key: 'bearer:x', limit: 5, windowMs: 60_000 }
      await createRedisRateLimiter(redis, { prefix, now }).admit([bucket])
      const cache = createRedisTokenCache(redis, { prefix, now })
      await cache.put(context.tokenHash, context)
      await cache.putMiss('1'.repeat(64))
      await cache.forget(['2'.repeat(64)])
      await cache.invalidate(['3'.repeat(64)])
      const keys = await opened.keys()
      expect(keys).to.have.length(7)
      for (const key of keys) expect(await raw.pttl(key), key).to.be.within(1, 900_000)
      expect(await raw.pttl(`${prefix}limit:bearer:{x}`)).to.be.within(119_000, 120_000)
    })

    // A nonce is of its signer's choosing: it could be long, or another key's name.
    it('a nonce is kept by its digest', async () => {
      const { redis, raw, prefix } = opened
      const nonce = `x\r\n${'n'.repeat(128)}`
      await createRedisNonceGuard(redis, { prefix, digest: sha256Hex }).spend('assertion', nonce)
      const key = `${prefix}nonce:assertion:${sha256Hex(nonce)}`
      expect(await opened.keys()).to.deep.equal([key])
      expect(await raw.pttl(key)).to.be.within(599_000, 600_000)
    })

    it('a flow keeps its life through updates that do not move its expiry', async () => {
      const { redis, raw, prefix } = opened
      const clock = fakeClock(NOW_MS)
      const store = createRedisDeviceFlowStore(redis, { prefix, now: clock.now, log: silent })
      const flow = aFlow()
      await store.insert(flow, 'ABCD-EFGH')
      clock.advance(600_000)
      await store.update(flow.deviceCodeHash, (seen) => ({ result: null, write: { ...seen, intervalS: 10 } }))
      expect(await raw.pttl(`${prefix}flow:{${flow.deviceCodeHash}}`)).to.be.within(299_000, 300_000)
    })

    it('E18 polling ten thousand unknown codes leaves no key behind', async function () {
      this.timeout(20_000)
      const { redis, prefix } = opened
      const store = createRedisDeviceFlowStore(redis, { prefix, now: () => NOW_MS, log: silent })
      const hashes = Array.from({ length: 10_000 }, (_, at) => at.toString(16).padStart(64, '0'))
      await Promise.all(hashes.map((hash) => store.update(hash, () => ({ result: 1, write: 'remove' }))))
      expect(await opened.keys()).to.deep.equal([])
    })

    it('E19 a corrupt flow counts as absent and is logged without its content', async () => {
      const { redis, raw, prefix } = opened
      const lines: unknown[] = []
      const log: Log = { ...silent, error: (...line) => void lines.push(line) }
      const store = createRedisDeviceFlowStore(redis, { prefix, now: () => NOW_MS, log })
      const flow = aFlow()
      const broken = [
        'not json',
        '[]',
        'null',
        JSON.stringify({ ...flow, intervalS: '5' }),
        JSON.stringify({ ...flow, decision: { status: 'approved' } }),
        JSON.stringify({ ...flow, decision: { status: 'granted' } }),
        JSON.stringify({ ...flow, deviceCodeHash: '0'.repeat(64) }),
      ]
      for (const value of broken) {
        await raw.set(`${prefix}flow:{${flow.deviceCodeHash}}`, value)
        expect(await store.find(flow.deviceCodeHash), value).to.equal(null)
        expect(await store.update(flow.deviceCodeHash, () => ({ result: 1, write: 'remove' })), value).to.equal(null)
      }
      expect(lines).to.have.length(2 * broken.length)
      expect(JSON.stringify(lines)).not.to.contain(flow.deviceCodeHash)
    })

    it('B17 a malformed entry is a miss, and C12 a verdict that is not a boolean is unknown', async () => {
      const { redis, raw, prefix } = opened
      const limiter = createRedisRateLimiter(redis, { prefix })
      const context = aContext()
      const read = async (value: string) => {
        await raw.set(cacheKey(prefix, context.tokenHash), value)
        return (await limiter.admit([], context.tokenHash)).cached
      }
      for (const broken of ['', '{', 'true', '"invalid"', '{}', JSON.stringify({ ...context, scopes: ['root'] })]) {
        expect(await read(broken), broken).to.deep.equal({ kind: 'miss' })
      }
      expect(await read(JSON.stringify({ ...context, tokenHash: '0'.repeat(64) }))).to.deep.equal({ kind: 'miss' })
      const odd = { ...context, verifiedWorkspaces: { a: true, b: 'yes', c: 1, d: null, e: false } }
      const verifiedWorkspaces = { a: true, e: false }
      const hit = { kind: 'hit', context: { ...context, verifiedWorkspaces } }
      expect(await read(JSON.stringify(odd))).to.deep.equal(hit)
    })

    it('C01 recording into a malformed entry leaves it as it is', async () => {
      const { redis, raw, prefix } = opened
      const cache = createRedisTokenCache(redis, { prefix, now: () => NOW_MS })
      await raw.set(cacheKey(prefix, '0'.repeat(64)), '{"cacheEntryId":"e"')
      await cache.recordVerdict('0'.repeat(64), 'e', 'w', true)
      expect(await raw.get(cacheKey(prefix, '0'.repeat(64)))).to.equal('{"cacheEntryId":"e"')
    })

    it('limits by the clock of the server when none is given, so replicas agree', async () => {
      const { redis, raw, prefix } = opened
      const limiter = createRedisRateLimiter(redis, { prefix })
      const bucket = { key: 'k', limit: 1, windowMs: 60_000 }
      await limiter.admit([bucket])
      const [seconds] = await raw.time()
      const [, score] = await raw.zrange(`${prefix}limit:{k}`, '0', '0', 'WITHSCORES')
      expect(Number(score) / 1000).to.be.closeTo(Number(seconds), 2)
      expect((await limiter.admit([bucket])).retryAfterMs).to.be.within(55_000, 60_000)
    })
  })
})
