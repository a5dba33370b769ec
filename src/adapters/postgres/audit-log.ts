import type { EntityManager } from '@mikro-orm/sql'
import type { AuditLog } from '#application/ports/audit-log.ts'
import { AuditEventRow } from './schema.ts'
import { storableJson } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

/** Audit events in `audit_events`, which a trigger keeps append-only. Fact names are snake_case in the rows. */
export function createPostgresAuditLog(em: EntityManager): AuditLog {
  return translateErrors<AuditLog>({
    async append({ event, facts }, atMs) {
      const named = Object.fromEntries(Object.entries(facts).map(([name, value]) => [snakeCase(name), value]))
      await em.insert(AuditEventRow, { event, facts: storableJson(named), at: new Date(atMs) })
    },
  })
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
