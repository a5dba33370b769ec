import type { EntityManager } from '@mikro-orm/sql'
import {
  MAX_PENDING_IMPORTS,
  PENDING_IMPORT_TTL_MS,
  type PendingImport,
  type PendingImports,
} from '#application/ports/pending-imports.ts'
import { isUuid } from '#domain/uuid.ts'
import { epochMs, instant, rowOf, rowsOf, storableText } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

const oldest = (nowMs: number) => instant(nowMs - PENDING_IMPORT_TTL_MS)

/** Imports that wait in `pending_imports`. */
export function createPostgresPendingImports(em: EntityManager): PendingImports {
  return translateErrors<PendingImports>({
    async add({ id, accountId, workspaceId, source, choices, createdAtMs }) {
      await em.transactional(async () => {
        await rowsOf(
          em,
          `insert into pending_imports (id, tenant_id, account_id, source, choices, created_at)
            values (?, ?, ?, ?, ?::jsonb, ?) returning id`,
          [id, workspaceId, accountId, storableText(source), JSON.stringify(choices), instant(createdAtMs)],
        )
        // Rows that another call is at are left to it, so that two of these never wait for each other.
        await rowsOf(
          em,
          `delete from pending_imports where id in (
              select id from pending_imports where created_at <= ? or (account_id = ? and id not in (
                select id from pending_imports where account_id = ? order by created_at desc, id desc limit ?
              )) for update skip locked
            ) returning id`,
          [oldest(createdAtMs), accountId, accountId, MAX_PENDING_IMPORTS],
        )
      })
    },

    async find(id, nowMs) {
      if (!isUuid(id)) return null
      return rowOf<PendingImport>(
        em,
        `select id, account_id as "accountId", tenant_id as "workspaceId", source, choices,
            ${epochMs('created_at', 'createdAtMs')}
          from pending_imports where id = ? and created_at > ?`,
        [id, oldest(nowMs)],
      )
    },

    async take(id, nowMs) {
      if (!isUuid(id)) return false
      const statement = 'delete from pending_imports where id = ? and created_at > ? returning id'
      return (await rowOf(em, statement, [id, oldest(nowMs)])) !== null
    },
  })
}
