import type { ConsoleSession } from './console-tokens.ts'

export type RefreshToken = {
  readonly hash: string
  /** All tokens that descend from one sign-in. */
  readonly family: string
  readonly accountId: string
  readonly expiresAtMs: number
}

/** What using a refresh token meant. */
export type RefreshUse =
  | { readonly kind: 'ok'; readonly family: string; readonly accountId: string }
  | { readonly kind: 'reused'; readonly family: string }
  | { readonly kind: 'unknown' }

/** Refresh tokens of browsers, by digest (RFC 9700 §2.2.2). */
export interface RefreshTokenStore {
  insert(token: RefreshToken): Promise<void>
  /** Marks it used: of concurrent uses one gets `ok`, the others `reused`. Expired ones are `unknown`. */
  use(hash: string, atMs: number): Promise<RefreshUse>
  /** Ends a sign-in: every token of the family is gone. */
  endFamily(family: string): Promise<void>
  /**
   * Whether the sign-in stands at `nowMs`: this very person's, not ended, and with an unexpired token, used or not.
   */
  isLive(session: ConsoleSession, nowMs: number): Promise<boolean>
}
