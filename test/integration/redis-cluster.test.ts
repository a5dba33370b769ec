import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { sha256Hex } from '#adapters/crypto/digest.ts'
import { readEntry } from '#adapters/redis/cache-entry.ts'
import { createRedisDeviceFlowStore } from '#adapters/redis/device-flow-store.ts'
import { createRedisNonceGuard } from '#adapters/redis/nonce-guard.ts'
import { openRedis } from '#adapters/redis/open-redis.ts'
import { createRedisRateLimiter } from '#adapters/redis/rate-limiter.ts'
import { createRedisTokenCache } from '#adapters/redis/token-cache.ts'
import type { Log } from '#application/ports/log.ts'
import { deviceFlowStoreContract } from '../contract/device-flow-store.ts'
import { nonceGuardContract } from '../contract/nonce-guard.ts'
import { rateLimiterContract } from '../contract/rate-limiter.ts'
import { tokenCacheContract } from '../contract/token-cache.ts'
import { aFlow, NOW_MS } from '../support/builders.ts'
import { fakeClock } from '../support/clock.ts'
import { clusterSuite, startCluster, type TestCluster, untilReady } from '../support/redis-cluster.ts'

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }

// One server hides a script that spans slots; three masters refuse it.
clusterSuite()('Redis Cluster of three masters', function () {
  this.timeout(20_000)
  let cluster: TestCluster
  before(async () => {
    cluster = await startCluster()
  })
  after(() => cluster.close())

  async function open() {
    const prefix = `latchkey-test:${randomUUID()}:`
    const redis = openRedis({ url: cluster.url, keyPrefix: prefix, log: silent })
    await untilReady(redis)
    const clock = fakeClock(NOW_MS)
    return { redis, prefix, clock, now: clock.now, close: () => redis.quit() }
  }

  deviceFlowStoreContract('redis cluster', async () => {
    const { redis, clock, close, ...settings } = await open()
    return { store: createRedisDeviceFlowStore(redis, { ...settings, log: silent }), clock, close }
  })

  rateLimiterContract('redis cluster', async () => {
    const { redis, clock, close, ...settings } = await open()
    const cache = createRedisTokenCache(redis, settings)
    return { limiter: createRedisRateLimiter(redis, settings), cache, clock, close }
  })

  tokenCacheContract('redis cluster', async () => {
    const { redis, clock: _clock, close, ...settings } = await open()
    const keyOf = (hash: string) => `${settings.prefix}token:{${hash}}`
    return {
      cache: createRedisTokenCache(redis, settings),
      read: async (hash) => readEntry(await redis.ask((commands) => commands.get(keyOf(hash))), hash),
      age: async (hash, ms) => {
        const leftMs = await redis.client.pttl(keyOf(hash))
        await redis.client.pexpire(keyOf(hash), Math.round((leftMs - ms) / 1000) * 1000)
      },
      close,
    }
  })

  nonceGuardContract('redis cluster', async () => {
    const { redis, prefix, close } = await open()
    const key = `${prefix}nonce:assertion:${sha256Hex('a')}`
    return {
      nonces: createRedisNonceGuard(redis, { prefix, digest: sha256Hex }),
      async age(ms) {
        const leftMs = await redis.client.pttl(key)
        await redis.client.pexpire(key, Math.round((leftMs - ms) / 1000) * 1000)
      },
      close: async () => void (await close()),
    }
  })

  it('keys of one kind spread over the masters', async () => {
    const { redis, close, ...settings } = await open()
    const store = createRedisDeviceFlowStore(redis, { ...settings, log: silent })
    for (let at = 0; at < 30; at++) await store.insert(aFlow(), `CODE-${at}`)
    if (!('nodes' in redis.client)) throw new Error('not a cluster')
    for (const node of redis.client.nodes('master')) expect(await node.dbsize()).to.be.above(0)
    await close()
  })

  it('a cluster that is gone is said to be within the second', async () => {
    const redis = openRedis({ url: 'redis+cluster://127.0.0.1:1,127.0.0.1:2', keyPrefix: 'x:', log: silent })
    const startMs = performance.now()
    const outcome = await redis.ask((commands) => commands.get('x:k')).catch((error: unknown) => error)
    expect(outcome).to.have.property('code', 'service_unavailable')
    expect(performance.now() - startMs).to.be.below(1500)
    await redis.quit()
  })
})
