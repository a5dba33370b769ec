import type { AuthContext } from '#domain/auth-context.ts'

/** What a cache read says: nothing, "known bad", or the context a token resolves to. */
export type CacheRead =
  | { readonly kind: 'miss' }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'hit'; readonly context: AuthContext }

export const POSITIVE_TTL_MS = 60_000
export const MISS_TTL_MS = 10_000
export const REVOKED_TTL_MS = 60_000
/** Outlasts any reader that loaded its rows before a change; refills are refused that long. */
export const FORGET_TTL_MS = 10_000

/**
 * What a token's digest resolved to lately. Never the source of truth: every write is best effort, and a value
 * that cannot be read back whole counts as a miss. Reading goes through `RateLimiter.admit`, in the same write.
 */
export interface TokenCache {
  /** Refill; refused when any entry stands, so a reader from before a revoke cannot bring the token back. */
  put(tokenHash: string, context: AuthContext): Promise<void>
  /** Remember an unknown digest for `MISS_TTL_MS`; refused when any entry stands. */
  putMiss(tokenHash: string): Promise<void>
  /** After a revoke, rotate or ban committed: overwrites with `invalid` for `REVOKED_TTL_MS`. */
  invalidate(tokenHashes: readonly string[]): Promise<void>
  /** After a membership changed: readers miss at once, and refills begun before are refused for `FORGET_TTL_MS`. */
  forget(tokenHashes: readonly string[]): Promise<void>
  /**
   * Merges one Layer 0 verdict into the entry named `entryId`, keeping its remaining time to live. A no-op when
   * that entry is gone, replaced, negative or unreadable.
   */
  recordVerdict(tokenHash: string, entryId: string, workspaceId: string, member: boolean): Promise<void>
}
