import type { DecideOutcome, DeviceFlowState } from '#domain/device-flow-state.ts'
import { DomainError } from '#domain/errors.ts'
import { normaliseUserCode } from '#domain/user-code.ts'
import type { DeviceFlowStore } from '../ports/device-flow-store.ts'

/** The device code's digest behind what a person typed. @throws DomainError `expired_or_unknown` */
export async function requireFlowHash(flows: DeviceFlowStore, typed: string): Promise<string> {
  const userCode = normaliseUserCode(typed)
  const hash = userCode === null ? null : await flows.hashOf(userCode)
  if (hash === null) throw new DomainError('expired_or_unknown', {})
  return hash
}

/**
 * Applies a decision atomically and returns the state it left.
 * @throws DomainError the outcome's own code when the flow could not be decided
 */
export async function decideFlow(
  flows: DeviceFlowStore,
  hash: string,
  decide: (flow: DeviceFlowState) => DecideOutcome,
): Promise<DeviceFlowState> {
  const outcome = await flows.update(hash, (flow) => {
    const result = decide(flow)
    return { result, write: result.kind === 'won' ? result.next : 'keep' }
  })
  if (outcome === null) throw new DomainError('expired_or_unknown', {})
  if (outcome.kind !== 'won') throw new DomainError(outcome.kind, {})
  return outcome.next
}
