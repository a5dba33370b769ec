import type { MemberChange, Standing } from '#domain/member-rules.ts'
import type { Page, PageRequest } from '#domain/page.ts'
import type { AccountStatus, Role } from '#domain/workspace.ts'

/** A person in a workspace, as the others there see them. */
export type Member = {
  readonly accountId: string
  readonly name: string
  readonly email: string
  readonly role: Role
  readonly status: AccountStatus
}

/** Whose membership is changed, where, and who asks. */
export type MemberChangeRequest = {
  readonly workspaceId: string
  readonly actorId: string
  readonly targetId: string
  readonly atMs: number
}

/** Who belongs to a workspace, seen from the workspace. */
export interface WorkspaceMembers {
  /** By email, so pages do not overlap; empty for an unknown workspace. */
  list(workspaceId: string, page: PageRequest): Promise<Page<Member>>
  /** Null when not a member. */
  find(workspaceId: string, accountId: string): Promise<Member | null>
  /**
   * Atomic read-decide-write: changes of one workspace happen one after the other, so two that each leave an owner
   * behind cannot together leave none. `decide` is pure; a null `write` stores nothing.
   */
  change<R>(
    request: MemberChangeRequest,
    decide: (standing: Standing) => { readonly result: R; readonly write: MemberChange | null },
  ): Promise<R>
}
