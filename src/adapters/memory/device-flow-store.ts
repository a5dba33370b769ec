import type { Clock } from '#application/ports/clock.ts'
import type { DeviceFlowStore } from '#application/ports/device-flow-store.ts'
import type { DeviceFlowState } from '#domain/device-flow-state.ts'
import { DomainError } from '#domain/errors.ts'
import { ExpiringMap } from './expiring-map.ts'

export type MemoryFlowSettings = { readonly now: Clock; readonly maxFlows?: number }

/** Device flows of one process. A full store refuses new ones rather than forget one that a person is typing. */
export function createMemoryDeviceFlowStore({ now, maxFlows = 100_000 }: MemoryFlowSettings): DeviceFlowStore {
  const flows = new ExpiringMap<DeviceFlowState>(now, maxFlows)
  const hashes = new ExpiringMap<string>(now, maxFlows)

  return {
    async insert(flow, userCode) {
      if (hashes.get(userCode) !== undefined) return false
      if (!hashes.hasRoom(userCode) || !flows.hasRoom(flow.deviceCodeHash)) {
        throw new DomainError('service_unavailable', {})
      }
      hashes.set(userCode, flow.deviceCodeHash, flow.expiresAtMs)
      flows.set(flow.deviceCodeHash, flow, flow.expiresAtMs)
      return true
    },

    async hashOf(userCode) {
      return hashes.get(userCode) ?? null
    },

    async find(hash) {
      return flows.get(hash) ?? null
    },

    async update(hash, decide) {
      const flow = flows.get(hash)
      if (flow === undefined) return null
      const { result, write } = decide(flow)
      if (write === 'remove') flows.delete(hash)
      else if (write !== 'keep') flows.set(hash, write, write.expiresAtMs)
      return result
    },
  }
}
