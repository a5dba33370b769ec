export type Role = 'owner' | 'admin' | 'editor' | 'normal'
export type WorkspaceStatus = 'normal' | 'archive'
export type AccountStatus = 'pending' | 'uninitialized' | 'active' | 'banned' | 'closed'

export type Account = {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly status: AccountStatus
}

/** A workspace as one member sees it. */
export type Membership = {
  readonly workspaceId: string
  readonly name: string
  readonly status: WorkspaceStatus
  readonly role: Role
  /** The one the member last worked in. */
  readonly current: boolean
  readonly createdAtMs: number
}

const RANK: Record<Role, number> = { normal: 0, editor: 1, admin: 2, owner: 3 }

/** Whether `role` may do what takes at least `needed`. */
export function atLeast(role: Role, needed: Role): boolean {
  return RANK[role] >= RANK[needed]
}

/** The workspace to start in: the flagged one, else the oldest. `memberships` come oldest first. */
export function defaultWorkspaceId(memberships: readonly Membership[]): string | null {
  return (memberships.find(({ current }) => current) ?? memberships[0])?.workspaceId ?? null
}
