import type { EntityManager } from '@mikro-orm/sql'
import { newId } from '#adapters/crypto/ids.ts'
import type { MemoryDatabase } from '#adapters/memory/database.ts'
import type { AuditEventName } from '#domain/audit-event.ts'
import type { AccountStatus, Role, WorkspaceStatus } from '#domain/workspace.ts'

export type AppEdit = {
  readonly name?: string
  readonly status?: string
  readonly apiEnabled?: boolean
  readonly tag?: string
  readonly updatedAtMs?: number
}

export type NewPlace = {
  readonly name: string
  readonly accountId: string
  readonly role?: Role
  readonly createdAtMs: number
}

/** Changes and looks that no route offers yet, so that tests can stand where an operator or another process would. */
export type Edit = {
  setAccountStatus(accountId: string, status: AccountStatus): Promise<void>
  /** Removes the set-up, as if nobody had done it yet. */
  forgetSetUp(): Promise<void>
  addWorkspace(place: NewPlace): Promise<string>
  setWorkspaceStatus(workspaceId: string, status: WorkspaceStatus): Promise<void>
  setApp(appId: string, edit: AppEdit): Promise<void>
  removeDefinitions(appId: string): Promise<void>
  /** Every token row there is, dead ones too. */
  tokenRows(): Promise<readonly { readonly id: string; readonly live: boolean }[]>
  auditRows(
    event?: AuditEventName,
  ): Promise<readonly { readonly event: string; readonly facts: Record<string, unknown> }[]>
}

/** Edits of the tables of one process. */
export function memoryEdit(database: MemoryDatabase): Edit {
  return {
    async setAccountStatus(accountId, status) {
      const row = database.accounts.get(accountId)
      if (row !== undefined) database.accounts.set(accountId, { ...row, status })
    },
    async forgetSetUp() {
      database.setups.delete('only')
    },
    async addWorkspace({ name, accountId, role = 'owner', createdAtMs }) {
      const workspaceId = newId()
      database.workspaces.set(workspaceId, { id: workspaceId, name, status: 'normal', createdAtMs })
      database.memberships.set(`${accountId} ${workspaceId}`, { accountId, workspaceId, role, current: false })
      return workspaceId
    },
    async setWorkspaceStatus(workspaceId, status) {
      const row = database.workspaces.get(workspaceId)
      if (row !== undefined) database.workspaces.set(workspaceId, { ...row, status })
    },
    async setApp(appId, { tag, ...edit }) {
      const row = database.apps.get(appId)
      if (row === undefined) return
      const tags = tag === undefined ? row.tags : [...row.tags, tag]
      database.apps.set(appId, { ...row, ...edit, tags })
    },
    async removeDefinitions(appId) {
      for (const { id, appId: of } of database.definitions.rows()) if (of === appId) database.definitions.delete(id)
    },
    tokenRows: async () => database.tokens.rows().map(({ id, revokedAtMs }) => ({ id, live: revokedAtMs === null })),
    async auditRows(event) {
      const rows = database.audit.rows().map(({ event: name, facts }) => ({ event: name, facts: asStored(facts) }))
      return rows.filter((row) => event === undefined || row.event === event)
    },
  }
}

/** The facts under the names that the audit table gives them. */
function asStored(facts: object): Record<string, unknown> {
  const renamed = Object.entries(facts).map(([name, fact]) => [
    name.replaceAll(/[A-Z]/g, (one) => `_${one.toLowerCase()}`),
    fact,
  ])
  return Object.fromEntries(renamed)
}

/** The same edits in SQL. */
export function sqlEdit(em: EntityManager): Edit {
  const sql = <Row>(text: string, params: readonly unknown[]): Promise<readonly Row[]> =>
    em.getConnection().execute<Row[]>(text, [...params])
  return {
    async setAccountStatus(accountId, status) {
      await sql('update accounts set status = ? where id = ?', [status, accountId])
    },
    async forgetSetUp() {
      await sql('delete from setups', [])
    },
    async addWorkspace({ name, accountId, role = 'owner', createdAtMs }) {
      const id = newId()
      const at = new Date(createdAtMs)
      await sql('insert into tenants (id, name, created_at) values (?, ?, ?)', [id, name, at])
      const join = 'insert into tenant_account_joins (tenant_id, account_id, role, created_at) values (?, ?, ?, ?)'
      await sql(join, [id, accountId, role, at])
      return id
    },
    async setWorkspaceStatus(workspaceId, status) {
      await sql('update tenants set status = ? where id = ?', [status, workspaceId])
    },
    async setApp(appId, { name, status, apiEnabled, tag, updatedAtMs }) {
      const set = (column: string, value: unknown) =>
        value === undefined ? null : sql(`update apps set ${column} = ? where id = ?`, [value, appId])
      await set('name', name)
      await set('status', status)
      await set('enable_api', apiEnabled)
      await set('updated_at', updatedAtMs === undefined ? undefined : new Date(updatedAtMs))
      if (tag === undefined) return
      await sql(
        `with tag as (
            insert into tags (id, tenant_id, name, created_at)
            select ?, tenant_id, ?, now() from apps where id = ?
            on conflict on constraint uq_tags_name do update set name = excluded.name returning id
          )
          insert into tag_bindings (tag_id, target_id, created_at) select id, ?, now() from tag`,
        [newId(), tag, appId, appId],
      )
    },
    async removeDefinitions(appId) {
      await sql('delete from app_definitions where app_id = ?', [appId])
    },
    tokenRows: () => sql('select id, revoked_at is null as live from oauth_access_tokens', []),
    auditRows: (event) =>
      sql('select event, facts from audit_events where ?::text is null or event = ? order by id', [
        event ?? null,
        event ?? null,
      ]),
  }
}
