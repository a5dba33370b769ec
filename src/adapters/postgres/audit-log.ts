import type { EntityManager } from '@mikro-orm/sql'
import type { AuditLog } from '#application/ports/audit-log.ts'
import { auditFacts } from '#domain/audit-event.ts'
import { type InsertTogether, insertTogether } from './insert-together.ts'
import { instant, rowsOf, storableJson } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

type Row = { readonly event: string; readonly facts: object; readonly at: string }

/**
 * Audit events in `audit_events`, which a trigger keeps append-only. Inside a transaction the row goes with it;
 * otherwise rows of requests under way at once share a statement, and each `append` returns when its row is committed.
 */
export function createPostgresAuditLog(em: EntityManager): AuditLog {
  const insert: InsertTogether<Row> = async (rows) => {
    await rowsOf(em, INSERT, [JSON.stringify(rows)])
  }
  const insertSoon = insertTogether(insert)
  return translateErrors<AuditLog>({
    async append(event, atMs) {
      const row = { event: event.event, facts: storableJson(auditFacts(event)), at: instant(atMs) }
      await (em.isInTransaction() ? insert([row]) : insertSoon(row))
    },
  })
}

const INSERT = `insert into audit_events (event, facts, at)
  select event, facts, at from jsonb_to_recordset(?::jsonb) as given (event text, facts jsonb, at timestamptz)`
