/** Seconds for which a challenge is good. */
export const CHALLENGE_TTL_S = 60

/** Proof between processes of one installation, which share its secret: of who asks, and of who answers. */
export interface Challenges {
  /** A fresh question; `isAnswer` tells whether somebody who opened it said exactly this. */
  issue(nowMs: number): { readonly text: string; readonly isAnswer: (said: string, mac: string) => boolean }
  /** Null unless a holder of one of our keys issued exactly this, not longer ago than it is good. */
  open(text: string, nowMs: number): OpenedChallenge | null
}

/** A question that was proven; whether it was asked before is for a `NonceGuard` to say. */
export type OpenedChallenge = {
  readonly nonce: string
  /** The proof that goes with what is `said` to it. */
  readonly sign: (said: string) => string
}
