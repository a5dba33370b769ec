import { createMemoryDeviceFlowStore } from '#adapters/memory/device-flow-store.ts'
import { deviceFlowModel } from '../contract/device-flow-model.ts'

deviceFlowModel(
  'memory',
  async (now) => ({ store: createMemoryDeviceFlowStore({ now }), close: async () => {} }),
  3_000,
)
