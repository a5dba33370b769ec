export type Pruned = { readonly revoked: number; readonly expired: number }

/**
 * Deletes the tokens that were revoked before `cutoffMs`, and those never revoked that expired before it, in batches
 * that each commit by themselves; live rows are not touched. Ends early, between batches, when `signal` fires.
 * Resolves null, with nothing deleted, while another replica is at it.
 */
export type PruneTokens = (cutoffMs: number, signal?: AbortSignal) => Promise<Pruned | null>
