/** Longer than anything that carries a nonce can be valid, clocks that differ included. */
export const NONCE_TTL_MS = 600_000

/** Keeps the nonces of different uses apart. */
export type NoncePurpose = 'assertion' | 'grant' | 'logout' | 'challenge'

/** Remembers which one-time values were used, over all replicas. */
export interface NonceGuard {
  /** True for the one caller that uses `nonce` first; its purpose keeps them apart. */
  spend(purpose: NoncePurpose, nonce: string): Promise<boolean>
  /** Lets it be used again by whoever spent it for nothing; one that is unspent stays so. */
  giveBack(purpose: NoncePurpose, nonce: string): Promise<void>
}
