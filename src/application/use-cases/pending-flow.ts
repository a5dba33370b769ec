import type { DeviceFlowState } from '#domain/device-flow-state.ts'
import { normaliseUserCode } from '#domain/user-code.ts'
import type { DeviceFlowStore } from '../ports/device-flow-store.ts'

/** The undecided flow behind what a person typed, with the code in its one spelling; null when there is none. */
export async function pendingFlow(
  flows: DeviceFlowStore,
  typed: string,
  nowMs: number,
): Promise<{ readonly userCode: string; readonly flow: DeviceFlowState } | null> {
  const userCode = normaliseUserCode(typed)
  const hash = userCode === null ? null : await flows.hashOf(userCode)
  const flow = hash === null ? null : await flows.find(hash)
  if (userCode === null || flow === null || nowMs >= flow.expiresAtMs) return null
  return flow.decision.status === 'pending' ? { userCode, flow } : null
}
