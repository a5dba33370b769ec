import type { AuditLog } from '#application/ports/audit-log.ts'
import type { MemoryDatabase } from './database.ts'

/** Audit events of one process, in the order they were appended. */
export function createMemoryAuditLog(database: MemoryDatabase): AuditLog {
  let last = 0
  return {
    append: (event, atMs) =>
      database.run(() => {
        last += 1
        database.audit.set(String(last), { ...event, atMs })
      }),
  }
}
