import { sha256Hex } from '#adapters/crypto/digest.ts'
import { newId } from '#adapters/crypto/ids.ts'
import { createMemoryDeviceFlowStore } from '#adapters/memory/device-flow-store.ts'
import { createMemoryNonceGuard } from '#adapters/memory/nonce-guard.ts'
import { createMemoryRateLimiter } from '#adapters/memory/rate-limiter.ts'
import { createMemoryRunControl } from '#adapters/memory/run-control.ts'
import { createMemoryRunLog } from '#adapters/memory/run-log.ts'
import { createMemoryRunSlots } from '#adapters/memory/run-slots.ts'
import { createMemoryTokenCache } from '#adapters/memory/token-cache.ts'
import { createRedisDeviceFlowStore } from '#adapters/redis/device-flow-store.ts'
import { rememberRefusals } from '#adapters/redis/known-refusals.ts'
import { createRedisNonceGuard } from '#adapters/redis/nonce-guard.ts'
import { openRedis, pingRedis } from '#adapters/redis/open-redis.ts'
import { createRedisRateLimiter } from '#adapters/redis/rate-limiter.ts'
import { createRedisRunControl } from '#adapters/redis/run-control.ts'
import { createRedisRunLog } from '#adapters/redis/run-log.ts'
import { createRedisRunSlots } from '#adapters/redis/run-slots.ts'
import { openSubscriber } from '#adapters/redis/subscriber.ts'
import { createRedisTokenCache } from '#adapters/redis/token-cache.ts'
import { outliveOutage } from '#application/auth/outlive-outage.ts'
import type { Log } from '#application/ports/log.ts'
import type { Check } from '#application/use-cases/check-readiness.ts'
import { now, timer } from './clock.ts'
import type { Config } from './config.ts'

/** Flows, limits, cached tokens and what runs tell: in Redis for many replicas, in this process for one. */
export function openFastStores(config: Config, log: Log) {
  const carried = createMemoryRunControl()
  const told = createMemoryRunLog({ now, timer })
  const ownSlots = createMemoryRunSlots()
  if (config.redisUrl === null) {
    const cache = createMemoryTokenCache({ now, ids: newId })
    const limiter = createMemoryRateLimiter({ now, cache })
    const flows = createMemoryDeviceFlowStore({ now })
    const nonces = createMemoryNonceGuard({ now })
    const runs = { runLog: told, runControl: carried, runSlots: ownSlots }
    return {
      stores: { flows, limiter, cache, nonces, ...runs },
      carried,
      checks: [],
      watched: {},
      close: async () => {},
    }
  }
  const prefix = config.redisKeyPrefix
  const redis = openRedis({ url: config.redisUrl, keyPrefix: prefix, log })
  const outliving = outliveOutage({
    limiter: rememberRefusals(createRedisRateLimiter(redis, { prefix }), () => performance.now()),
    cache: createRedisTokenCache(redis, { prefix, now }),
    localLimiter: createMemoryRateLimiter({ now, cache: createMemoryTokenCache({ now, ids: newId }) }),
    log,
  })
  const subscriber = openSubscriber(redis, timer)
  const runLog = createRedisRunLog(redis, { prefix, subscriber, local: told, timer, log })
  // Without it bearers still work, and a whole installation must not go dark for an outage that it outlives.
  const check: Check = { name: 'redis', essential: false, passes: () => pingRedis(redis) }
  return {
    carried,
    checks: [check],
    watched: { redis: redis.state },
    stores: {
      flows: createRedisDeviceFlowStore(redis, { prefix, now, log }),
      nonces: createRedisNonceGuard(redis, { prefix, digest: sha256Hex }),
      ...outliving,
      runLog,
      runControl: createRedisRunControl(redis, { prefix, subscriber, local: carried, timer }),
      runSlots: createRedisRunSlots(redis, { prefix, local: ownSlots }),
    },
    close: async () => {
      await runLog.flush()
      subscriber.quit()
      await redis.quit()
    },
  }
}
