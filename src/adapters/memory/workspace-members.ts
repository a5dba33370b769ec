import type { Member, WorkspaceMembers } from '#application/ports/workspace-members.ts'
import { pageOf } from '#domain/page.ts'
import type { MembershipRow, MemoryDatabase } from './database.ts'
import { ascending } from './ordering.ts'

/** The members of one process's workspaces. */
export function createMemoryWorkspaceMembers(database: MemoryDatabase): WorkspaceMembers {
  const { accounts, memberships, workspaces } = database
  const keyOf = (accountId: string, workspaceId: string) => `${accountId} ${workspaceId}`
  const toMember = ({ accountId, role }: MembershipRow): Member[] => {
    const account = accounts.get(accountId)
    if (account === undefined) return []
    const { name, email, status } = account
    return [{ accountId, name, email, role, status }]
  }
  const inside = (workspaceId: string) => memberships.rows().filter((row) => row.workspaceId === workspaceId)

  return {
    list: (workspaceId, page) =>
      database.run(() => {
        const found = inside(workspaceId)
          .flatMap(toMember)
          .toSorted((a, b) => ascending(a.email, b.email))
        const offset = (page.page - 1) * page.limit
        return pageOf(page, found.length, found.slice(offset, offset + page.limit))
      }),

    find: (workspaceId, accountId) =>
      database.run(() => {
        const row = memberships.get(keyOf(accountId, workspaceId))
        return row === undefined ? null : (toMember(row)[0] ?? null)
      }),

    change: ({ workspaceId, actorId, targetId }, decide) =>
      database.run(() => {
        const target = memberships.get(keyOf(targetId, workspaceId))
        const { result, write } = decide({
          workspace: workspaces.get(workspaceId)?.status ?? null,
          actor: memberships.get(keyOf(actorId, workspaceId))?.role ?? null,
          target: target?.role ?? null,
          owners: inside(workspaceId).filter(({ role }) => role === 'owner').length,
        })
        const key = keyOf(targetId, workspaceId)
        if (write?.kind === 'remove') memberships.delete(key)
        else if (write !== null) {
          memberships.set(key, {
            accountId: targetId,
            workspaceId,
            current: target?.current ?? false,
            role: write.role,
          })
        }
        return result
      }),
  }
}
