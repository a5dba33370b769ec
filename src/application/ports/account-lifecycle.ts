import type { AccountStatus } from '#domain/workspace.ts'

export type DeadToken = { readonly id: string; readonly tokenHash: string }

/** What begins and ends with an account; the steps of one change belong into one unit of work. */
export interface AccountLifecycle {
  /** Compare-and-set: true for the one caller that took the account from one of `from` to `to`. */
  changeStatus(accountId: string, from: readonly AccountStatus[], to: AccountStatus): Promise<boolean>
  /** Ends every live token of the account, and names the digests that died. */
  revokeTokens(accountId: string, atMs: number): Promise<readonly DeadToken[]>
  /** Ends every sign-in of the account's browsers; a refresh under way does not bring one back. */
  endSignIns(accountId: string): Promise<void>
}
