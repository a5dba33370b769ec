/** A run and whose share of the server it takes. */
export type Slot = { readonly workspaceId: string; readonly runId: string }

/**
 * How many runs each workspace has under way, over all processes. A slot that is neither freed nor renewed for a minute
 * is free again: its process was killed.
 */
export interface RunSlots {
  /** False when the workspace has `limit` already: of concurrent calls for the last slot, one gets it. */
  take(slot: Slot, limit: number): Promise<boolean>
  /** Keeps them, above any limit too. */
  renew(slots: readonly Slot[]): Promise<void>
  /** Idempotent. */
  free(slot: Slot): Promise<void>
}
