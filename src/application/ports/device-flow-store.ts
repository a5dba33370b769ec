import type { DeviceFlowState } from '#domain/device-flow-state.ts'

/** What to leave behind after deciding; `result` goes to the caller of `update`. */
export type Step<R> = { readonly result: R; readonly write: DeviceFlowState | 'remove' | 'keep' }

/** Short-lived home of device flows, keyed by the hash of the device code. Entries vanish at their `expiresAtMs`. */
export interface DeviceFlowStore {
  /** Stores the flow under both codes. False, with nothing stored, when the user code is taken; the caller draws another. */
  insert(flow: DeviceFlowState, userCode: string): Promise<boolean>

  /** The device code's hash behind a normalised user code, or null. Says nothing about the flow's state. */
  hashOf(userCode: string): Promise<string | null>

  /** The flow, or null when unknown, expired from the store or unreadable (an unreadable one is logged). */
  find(deviceCodeHash: string): Promise<DeviceFlowState | null>

  /**
   * Atomic read-decide-write. Of concurrent calls that see one state exactly one commits; the others are shown
   * the new state. `decide` must be pure: it may run more than once. Resolves null when the flow is unknown.
   */
  update<R>(deviceCodeHash: string, decide: (flow: DeviceFlowState) => Step<R>): Promise<R | null>
}
