/** Longer than anything that carries a nonce can be valid, clocks that differ included. */
export const NONCE_TTL_MS = 600_000

/** Remembers which one-time values were used, over all replicas. */
export interface NonceGuard {
  /** True for the one caller that uses `nonce` first; its purpose keeps them apart. */
  spend(purpose: 'assertion' | 'grant' | 'logout' | 'challenge', nonce: string): Promise<boolean>
}
