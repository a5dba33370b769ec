import type { DeviceFlowState } from '#domain/device-flow-state.ts'
import { normaliseUserCode } from '#domain/user-code.ts'
import type { Clock } from '../ports/clock.ts'
import type { DeviceFlowStore } from '../ports/device-flow-store.ts'

type Needs = { flows: DeviceFlowStore; now: Clock }

/** A flow that can still be decided, one that cannot any more, or nothing by that code. */
export type LookedUp =
  | { readonly kind: 'pending'; readonly flow: DeviceFlowState; readonly userCode: string; readonly remainingS: number }
  | { readonly kind: 'decided'; readonly clientId: string }
  | { readonly kind: 'unknown' }

export type LookUpUserCode = (typed: string) => Promise<LookedUp>

/** What a typed user code stands for; changes nothing, however often it is asked (RFC 8628 §3.3.1). */
export function makeLookUpUserCode({ flows, now }: Needs): LookUpUserCode {
  return async (typed) => {
    const userCode = normaliseUserCode(typed)
    const hash = userCode === null ? null : await flows.hashOf(userCode)
    const flow = hash === null ? null : await flows.find(hash)
    if (flow === null || userCode === null || now() >= flow.expiresAtMs) return { kind: 'unknown' }
    if (flow.decision.status !== 'pending') return { kind: 'decided', clientId: flow.clientId }
    return { kind: 'pending', flow, userCode, remainingS: Math.ceil((flow.expiresAtMs - now()) / 1000) }
  }
}
