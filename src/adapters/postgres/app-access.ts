import type { EntityManager } from '@mikro-orm/sql'
import type { AppAccessStore, PermittedQuery } from '#application/ports/app-access.ts'
import type { AccessGrant } from '#domain/app-access.ts'
import { isUuid } from '#domain/uuid.ts'
import { likePattern } from './like.ts'
import { instant, type Parameter, rowOf, rowsOf, storableText } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

/** Modes in `apps`, grants in `app_access`. */
export function createPostgresAppAccess(em: EntityManager): AppAccessStore {
  return translateErrors<AppAccessStore>({
    async setMode(appId, mode) {
      if (!isUuid(appId)) return false
      return (await rowOf(em, 'update apps set access_mode = ? where id = ? returning id', [mode, appId])) !== null
    },

    async grants(appId) {
      if (!isUuid(appId)) return []
      return rowsOf<AccessGrant>(
        em,
        `select subject_type as type, subject_id as value from app_access where app_id = ?
          order by subject_type collate "C", subject_id collate "C"`,
        [appId],
      )
    },

    async grant(appId, grants, by, atMs) {
      await rowsOf(
        em,
        `insert into app_access (app_id, subject_type, subject_id, created_by, created_at)
          select ?, type, value, ?, ? from jsonb_to_recordset(?::jsonb) as given (type text, value text)
          on conflict do nothing returning app_id`,
        [appId, by, instant(atMs), listOf(grants)],
      )
    },

    async withdraw(appId, grants) {
      await rowsOf(
        em,
        `delete from app_access held using jsonb_to_recordset(?::jsonb) as given (type text, value text)
          where held.app_id = ? and held.subject_type = given.type and held.subject_id = given.value
          returning held.app_id`,
        [listOf(grants), appId],
      )
    },

    async holdsAny(appId, grants) {
      const row = await rowOf(
        em,
        `select held.app_id from app_access held
          join jsonb_to_recordset(?::jsonb) as given (type text, value text)
            on held.subject_type = given.type and held.subject_id = given.value
          where held.app_id = ? limit 1`,
        [listOf(grants), appId],
      )
      return row !== null
    },

    async open(grants, query) {
      const { where, parameters } = openTo(grants, query)
      const from = `from apps a join tenants t on t.id = a.tenant_id where ${where}`
      const counted = await rowOf<{ total: number }>(em, `select count(*)::int as total ${from}`, parameters)
      const rows = await rowsOf<{ id: string }>(em, `select a.id ${from} order by a.name, a.id limit ? offset ?`, [
        ...parameters,
        query.limit,
        (query.page - 1) * query.limit,
      ])
      return { ids: rows.map(({ id }) => id), total: counted?.total ?? 0 }
    },
  })
}

function openTo(
  grants: readonly AccessGrant[],
  { mode, name }: PermittedQuery,
): { readonly where: string; readonly parameters: readonly Parameter[] } {
  const conditions = [
    `a.status = 'normal' and a.enable_api and t.status = 'normal'`,
    `(a.access_mode in ('public', 'sso_verified') or (a.access_mode = 'private' and exists (
      select 1 from app_access held
      join jsonb_to_recordset(?::jsonb) as given (type text, value text)
        on held.subject_type = given.type and held.subject_id = given.value
      where held.app_id = a.id)))`,
  ]
  const parameters: Parameter[] = [listOf(grants)]
  if (mode !== undefined) {
    conditions.push('a.mode = ?')
    parameters.push(mode)
  }
  if (name !== undefined && name !== '') {
    conditions.push(isUuid(name) ? 'a.id = ?' : "a.name ilike ? escape '!'")
    parameters.push(isUuid(name) ? name : likePattern(name))
  }
  return { where: conditions.join(' and '), parameters }
}

function listOf(grants: readonly AccessGrant[]): string {
  return JSON.stringify(grants.map(({ type, value }) => ({ type, value: storableText(value) })))
}
