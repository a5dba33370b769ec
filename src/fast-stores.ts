import { newId } from '#adapters/crypto/ids.ts'
import { createMemoryDeviceFlowStore } from '#adapters/memory/device-flow-store.ts'
import { createMemoryNonceGuard } from '#adapters/memory/nonce-guard.ts'
import { createMemoryRateLimiter } from '#adapters/memory/rate-limiter.ts'
import { createMemoryRunControl } from '#adapters/memory/run-control.ts'
import { createMemoryRunLog } from '#adapters/memory/run-log.ts'
import { createMemoryRunSlots } from '#adapters/memory/run-slots.ts'
import { createMemoryTokenCache } from '#adapters/memory/token-cache.ts'
import type { Log } from '#application/ports/log.ts'
import { now, timer } from './clock.ts'
import type { Config } from './config.ts'

/** What runs of this very process tell and are told; shared stores stand on it too. */
export type Local = ReturnType<typeof openLocal>

/** Flows, limits, cached tokens and what runs tell: in Redis for many replicas, in this process for one. */
export async function openFastStores({ redisUrl, redisKeyPrefix }: Config, log: Log) {
  const local = openLocal()
  if (redisUrl !== null) {
    const { openRedisStores } = await import('./redis-stores.ts')
    return openRedisStores({ url: redisUrl, prefix: redisKeyPrefix }, local, log)
  }
  const cache = createMemoryTokenCache({ now, ids: newId })
  const limiter = createMemoryRateLimiter({ now, cache })
  const flows = createMemoryDeviceFlowStore({ now })
  const nonces = createMemoryNonceGuard({ now })
  const runs = { runLog: local.told, runControl: local.carried, runSlots: local.slots }
  return {
    stores: { flows, limiter, cache, nonces, ...runs },
    carried: local.carried,
    checks: [],
    watched: {},
    close: async () => {},
  }
}

function openLocal() {
  return {
    carried: createMemoryRunControl(),
    told: createMemoryRunLog({ now, timer }),
    slots: createMemoryRunSlots(),
  }
}
