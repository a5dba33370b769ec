import type { Account, AccountStatus, Membership } from '#domain/workspace.ts'

export type NewAccount = {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly status: AccountStatus
  readonly passwordHash: string
  readonly createdAtMs: number
}

export type NewWorkspace = { readonly id: string; readonly name: string; readonly createdAtMs: number }

/** People, and the workspaces they are in. Emails are stored trimmed and lower-cased. */
export interface AccountDirectory {
  /** Who set this server up; null before anybody did. */
  owner(): Promise<Account | null>
  /**
   * First run: stores account, workspace and owner membership together. False, with nothing stored, when somebody
   * set up before; of concurrent calls one wins.
   */
  setUp(account: NewAccount, workspace: NewWorkspace): Promise<boolean>
  /** Adds a person as a member of `workspaceId`. False when the email is taken. */
  add(account: NewAccount, workspaceId: string, role: Membership['role']): Promise<boolean>
  find(accountId: string): Promise<Account | null>
  findByEmail(email: string): Promise<(Account & { readonly passwordHash: string | null }) | null>
}

/** Who is in which workspace. */
export interface MembershipDirectory {
  /** Oldest workspace first; archived ones included. */
  list(accountId: string): Promise<readonly Membership[]>
  /** Null when not a member. */
  find(accountId: string, workspaceId: string): Promise<Membership | null>
  /** Makes it the one the member works in. False when not a member. */
  setCurrent(accountId: string, workspaceId: string): Promise<boolean>
  /** False when there was none to remove. */
  remove(accountId: string, workspaceId: string): Promise<boolean>
}
