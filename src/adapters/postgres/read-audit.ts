import type { EntityManager } from '@mikro-orm/sql'
import type { AuditRow, ReadAudit } from '#application/ports/read-audit.ts'
import { epochMs, instant, rowsOf } from './sql.ts'
import { translateError } from './translate-errors.ts'

/** Reads `audit_events`. */
export function createPostgresReadAudit(em: EntityManager): ReadAudit {
  return async ({ sinceMs, event, limit }) => {
    const byEvent = event === null ? { where: '', parameters: [] } : { where: 'and event = ?', parameters: [event] }
    try {
      return await rowsOf<AuditRow>(
        em,
        `select ${epochMs('at', 'atMs')}, event, facts from audit_events
          where at >= ? ${byEvent.where} order by at, id limit ?`,
        [instant(sinceMs), ...byEvent.parameters, limit],
      )
    } catch (error) {
      throw translateError(error)
    }
  }
}
