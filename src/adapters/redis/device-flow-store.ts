import type { Clock } from '#application/ports/clock.ts'
import type { DeviceFlowStore } from '#application/ports/device-flow-store.ts'
import type { Log } from '#application/ports/log.ts'
import type { DeviceFlowState } from '#domain/device-flow-state.ts'
import { DomainError } from '#domain/errors.ts'
import type { RedisLink } from './open-redis.ts'
import { readFlow } from './stored-flow.ts'

export type FlowStoreSettings = { readonly prefix: string; readonly now: Clock; readonly log: Log }

/** Every lost round is a won round of somebody else, so this many callers can meet on one flow. */
const MAX_ROUNDS = 100
const HASH = /^[0-9a-f]{64}$/

/** Device flows shared by all replicas: optimistic reads, a compare-and-swap to write. */
export function createRedisDeviceFlowStore(redis: RedisLink, settings: FlowStoreSettings): DeviceFlowStore {
  const { prefix, now, log } = settings
  const flowKey = (hash: string) => `${prefix}flow:{${hash}}`
  const userCodeKey = (userCode: string) => `${prefix}user-code:${userCode}`
  const lifeMs = (flow: DeviceFlowState) => Math.max(1, Math.ceil(flow.expiresAtMs - now()))

  async function load(hash: string): Promise<{ raw: string; flow: DeviceFlowState } | null> {
    const raw = await redis.ask((commands) => commands.get(flowKey(hash)))
    if (raw === null) return null
    const flow = readFlow(raw, hash)
    if (flow === null) log.error('stored device flow is unreadable')
    return flow === null || flow.expiresAtMs <= now() ? null : { raw, flow }
  }

  return {
    async insert(flow, userCode) {
      const life = lifeMs(flow)
      const key = userCodeKey(userCode)
      // The two keys may live on two servers: the claim comes first, and an orphaned claim just expires.
      const claimed = await redis.ask((commands) => commands.set(key, flow.deviceCodeHash, 'PX', life, 'NX'))
      if (claimed === null) return false
      await redis.ask((commands) => commands.set(flowKey(flow.deviceCodeHash), JSON.stringify(flow), 'PX', life))
      return true
    },

    async hashOf(userCode) {
      const hash = await redis.ask((commands) => commands.get(userCodeKey(userCode)))
      return hash !== null && HASH.test(hash) ? hash : null
    },

    async find(hash) {
      return (await load(hash))?.flow ?? null
    },

    async update(hash, decide) {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const seen = await load(hash)
        if (seen === null) return null
        const { result, write } = decide(seen.flow)
        if (write === 'keep') return result
        const next = write === 'remove' ? '' : JSON.stringify(write)
        const life = write === 'remove' ? 1 : lifeMs(write)
        const won = await redis.ask((commands) => commands.swapIfSame(flowKey(hash), seen.raw, next, life))
        if (won === 1) return result
      }
      throw new DomainError('service_unavailable', {})
    },
  }
}
