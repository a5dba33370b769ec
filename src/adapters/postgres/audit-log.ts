import type { EntityManager } from '@mikro-orm/sql'
import type { AuditLog } from '#application/ports/audit-log.ts'
import { auditFacts } from '#domain/audit-event.ts'
import { AuditEventRow } from './schema.ts'
import { storableJson } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

/** Audit events in `audit_events`, which a trigger keeps append-only. */
export function createPostgresAuditLog(em: EntityManager): AuditLog {
  return translateErrors<AuditLog>({
    async append(event, atMs) {
      const facts = storableJson(auditFacts(event))
      await em.insert(AuditEventRow, { event: event.event, facts, at: new Date(atMs) })
    },
  })
}
