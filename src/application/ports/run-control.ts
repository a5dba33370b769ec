export type StopReason = 'user' | 'hang_up' | 'shutdown'

/** Reaches the replica that carries a run. */
export interface RunControl {
  /** Registers a run carried here. The signal aborts with the reason when somebody stops it; call `done` at its end. */
  carry(taskId: string): { readonly signal: AbortSignal; done(): void }
  /** Asks for a stop; idempotent, and silent for unknown tasks. */
  stop(taskId: string, reason: StopReason): Promise<void>
}
