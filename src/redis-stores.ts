import { sha256Hex } from '#adapters/crypto/digest.ts'
import { newId } from '#adapters/crypto/ids.ts'
import { createMemoryRateLimiter } from '#adapters/memory/rate-limiter.ts'
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
import type { Local } from './fast-stores.ts'

type Place = { readonly url: string; readonly prefix: string }

/** The fast stores that replicas share; each still carries its own runs. */
export function openRedisStores({ url, prefix }: Place, { carried, told, slots }: Local, log: Log) {
  const redis = openRedis({ url, keyPrefix: prefix, log })
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
      runSlots: createRedisRunSlots(redis, { prefix, local: slots }),
    },
    close: async () => {
      await runLog.flush()
      subscriber.quit()
      await redis.quit()
    },
  }
}
