import type { AccountDirectory, MembershipDirectory, NewAccount } from '#application/ports/account-directory.ts'
import { normaliseEmail } from '#domain/email.ts'
import type { Account, Membership } from '#domain/workspace.ts'
import type { AccountRow, MembershipRow, MemoryDatabase } from './database.ts'
import { ascending } from './ordering.ts'

/** The one key that `setups` may hold. */
const ONLY = 'only'

/** People of one process. */
export function createMemoryAccountDirectory(database: MemoryDatabase): AccountDirectory {
  const { accounts, workspaces, setups } = database
  const byEmail = (email: string) => accounts.rows().find((row) => row.email === normaliseEmail(email))
  const store = (account: NewAccount) => accounts.set(account.id, { ...account, email: normaliseEmail(account.email) })

  return {
    owner: () =>
      database.run(() => {
        const setup = setups.get(ONLY)
        return toAccount(setup === undefined ? undefined : accounts.get(setup.accountId))
      }),

    setUp: (account, workspace) =>
      database.run(() => {
        if (setups.get(ONLY) !== undefined) return false
        setups.set(ONLY, { accountId: account.id })
        store(account)
        workspaces.set(workspace.id, { ...workspace, status: 'normal' })
        join(database, { accountId: account.id, workspaceId: workspace.id, role: 'owner', current: true })
        return true
      }),

    add: (account, workspaceId, role) =>
      database.run(() => {
        if (byEmail(account.email) !== undefined) return false
        store(account)
        join(database, { accountId: account.id, workspaceId, role, current: false })
        return true
      }),

    find: (accountId) => database.run(() => toAccount(accounts.get(accountId))),

    findByEmail: (email) =>
      database.run(() => {
        const row = byEmail(email)
        const account = toAccount(row)
        return account === null ? null : { ...account, passwordHash: row?.passwordHash ?? null }
      }),
  }
}

/** Who is where, in one process. */
export function createMemoryMembershipDirectory(database: MemoryDatabase): MembershipDirectory {
  const { memberships, workspaces } = database
  const seen = (row: MembershipRow): Membership[] => {
    const workspace = workspaces.get(row.workspaceId)
    if (workspace === undefined) return []
    const { id, name, status, createdAtMs } = workspace
    return [{ workspaceId: id, name, status, role: row.role, current: row.current, createdAtMs }]
  }

  return {
    list: (accountId) =>
      database.run(() =>
        memberships
          .rows()
          .filter((row) => row.accountId === accountId)
          .flatMap(seen)
          .toSorted((a, b) => ascending(a.createdAtMs, b.createdAtMs) || ascending(a.workspaceId, b.workspaceId)),
      ),

    find: (accountId, workspaceId) =>
      database.run(() => {
        const row = memberships.get(keyOf(accountId, workspaceId))
        return row === undefined ? null : (seen(row)[0] ?? null)
      }),

    setCurrent: (accountId, workspaceId) =>
      database.run(() => {
        if (memberships.get(keyOf(accountId, workspaceId)) === undefined) return false
        for (const row of memberships.rows()) {
          if (row.accountId === accountId) join(database, { ...row, current: row.workspaceId === workspaceId })
        }
        return true
      }),

    remove: (accountId, workspaceId) =>
      database.run(() => {
        const key = keyOf(accountId, workspaceId)
        if (memberships.get(key) === undefined) return false
        memberships.delete(key)
        return true
      }),
  }
}

function keyOf(accountId: string, workspaceId: string): string {
  return `${accountId} ${workspaceId}`
}

function join(database: MemoryDatabase, row: MembershipRow): void {
  database.memberships.set(keyOf(row.accountId, row.workspaceId), row)
}

function toAccount(row: AccountRow | undefined): Account | null {
  if (row === undefined) return null
  const { id, email, name, status } = row
  return { id, email, name, status }
}
