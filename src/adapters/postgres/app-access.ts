import type { EntityManager } from '@mikro-orm/sql'
import type { AppAccessStore } from '#application/ports/app-access.ts'
import type { AccessGrant } from '#domain/app-access.ts'
import { isUuid } from '#domain/uuid.ts'
import { openApps } from './open-apps.ts'
import { instant, rowOf, rowsOf, storableText } from './sql.ts'
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

    open: (grants, query) => openApps(em, grants, query),
  })
}

function listOf(grants: readonly AccessGrant[]): string {
  return JSON.stringify(grants.map(({ type, value }) => ({ type, value: storableText(value) })))
}
