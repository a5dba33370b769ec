import type { DeadToken } from './account-lifecycle.ts'

/** What an identity provider said when a person last signed on. */
export type SignOn = {
  readonly issuer: string
  readonly email: string
  /** The provider's own name for the person; null when it gave none. */
  readonly sub: string | null
  readonly groups: readonly string[]
}

/** People without an account, known by email and issuer. Emails are stored trimmed and lower-cased. */
export interface ExternalDirectory {
  /** Keeps the latest groups; a block stays. */
  noteSignOn(signOn: SignOn, atMs: number): Promise<void>
  /** The groups of the latest sign-on; [] for a person nobody has seen. */
  groups(issuer: string, email: string): Promise<readonly string[]>
  /** False when the person was never seen. */
  setGroups(issuer: string, email: string, groups: readonly string[]): Promise<boolean>
  /** Blocks the email at one issuer, or at all (null), seen or not. */
  block(email: string, issuer: string | null, atMs: number): Promise<void>
  /** False when there was no block to lift. */
  unblock(email: string, issuer: string | null): Promise<boolean>
  isBlocked(issuer: string, email: string): Promise<boolean>
  /** The emails that the provider calls `sub`. */
  emailsOf(issuer: string, sub: string): Promise<readonly string[]>
  /** Ends the live tokens of an external person; issuer null means at every issuer. */
  revokeTokens(email: string, issuer: string | null, atMs: number): Promise<readonly DeadToken[]>
}
