import type { Clock } from '#application/ports/clock.ts'
import type { DeviceFlowStore } from '#application/ports/device-flow-store.ts'
import type { DeviceFlowState } from '#domain/device-flow-state.ts'
import { ExpiringMap } from './expiring-map.ts'

/** Device flows of one process. Each step runs without a pause, which makes it atomic. */
export function createMemoryDeviceFlowStore({ now }: { now: Clock }): DeviceFlowStore {
  const flows = new ExpiringMap<DeviceFlowState>(now)
  const hashes = new ExpiringMap<string>(now)
  return {
    async insert(flow, userCode) {
      if (hashes.get(userCode) !== null) return false
      hashes.set(userCode, flow.deviceCodeHash, flow.expiresAtMs)
      flows.set(flow.deviceCodeHash, flow, flow.expiresAtMs)
      return true
    },
    hashOf: async (userCode) => hashes.get(userCode),
    find: async (deviceCodeHash) => flows.get(deviceCodeHash),
    async update(deviceCodeHash, decide) {
      const flow = flows.get(deviceCodeHash)
      if (flow === null) return null
      const { result, write } = decide(flow)
      if (write === 'remove') flows.delete(deviceCodeHash)
      else if (write !== 'keep') flows.set(deviceCodeHash, write, write.expiresAtMs)
      return result
    },
  }
}
