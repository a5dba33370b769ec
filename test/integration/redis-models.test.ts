import { randomUUID } from 'node:crypto'
import { createRedisDeviceFlowStore } from '#adapters/redis/device-flow-store.ts'
import { openRedis } from '#adapters/redis/open-redis.ts'
import { createRedisRateLimiter } from '#adapters/redis/rate-limiter.ts'
import type { Log } from '#application/ports/log.ts'
import { deviceFlowModel } from '../contract/device-flow-model.ts'
import { rateLimiterModel } from '../contract/rate-limiter-model.ts'
import { NOW_MS } from '../support/builders.ts'
import { fakeClock } from '../support/clock.ts'
import { openTestRedis } from '../support/redis.ts'
import { clusterSuite, startCluster, type TestCluster, untilReady } from '../support/redis-cluster.ts'
import { suiteFor } from '../support/services.ts'

const log: Log = { info: () => {}, warn: () => {}, error: () => {} }

suiteFor('redis')('models on Redis', () => {
  deviceFlowModel(
    'Redis',
    async (now) => {
      const { redis, prefix, close } = await openTestRedis()
      return { store: createRedisDeviceFlowStore(redis, { prefix, now, log }), close }
    },
    300,
  )
  rateLimiterModel(
    'Redis',
    async () => {
      const { redis, prefix, close } = await openTestRedis()
      const clock = fakeClock(NOW_MS)
      return { limiter: createRedisRateLimiter(redis, { prefix, now: clock.now }), clock, close }
    },
    300,
  )
})

clusterSuite()('models on a Redis Cluster of three masters', function () {
  this.timeout(60_000)
  let cluster: TestCluster
  before(async () => {
    cluster = await startCluster()
  })
  after(() => cluster.close())

  const open = async () => {
    const prefix = `latchkey-test:${randomUUID()}:`
    const redis = openRedis({ url: cluster.url, keyPrefix: prefix, log })
    await untilReady(redis)
    const close = async () => {
      await redis.quit()
    }
    return { redis, prefix, close }
  }

  deviceFlowModel(
    'Redis Cluster',
    async (now) => {
      const { redis, prefix, close } = await open()
      return { store: createRedisDeviceFlowStore(redis, { prefix, now, log }), close }
    },
    200,
  )
  rateLimiterModel(
    'Redis Cluster',
    async () => {
      const { redis, prefix, close } = await open()
      const clock = fakeClock(NOW_MS)
      return { limiter: createRedisRateLimiter(redis, { prefix, now: clock.now }), clock, close }
    },
    150,
  )
})
