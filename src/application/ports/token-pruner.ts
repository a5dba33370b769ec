export type Pruned = { readonly revoked: number; readonly expired: number }

/**
 * How much longer a browser's sign-in is kept: whatever renewed it as it ran out has been stored by then, and an ended
 * one must not lose the row that says so before its last token has run out.
 */
export const SIGN_IN_KEPT_MS = 86_400_000

/**
 * Deletes the tokens that were revoked before `cutoffMs`, and those never revoked that expired before it, in batches
 * that each commit by themselves; live rows are not touched. Browsers' sign-ins
 * go with them, uncounted, `SIGN_IN_KEPT_MS` after all of their tokens have run out. Ends early, between batches, when `signal` fires.
 * Resolves null, with nothing deleted, while another replica is at it.
 */
export type PruneTokens = (cutoffMs: number, signal?: AbortSignal) => Promise<Pruned | null>
