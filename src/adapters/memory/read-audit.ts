import type { ReadAudit } from '#application/ports/read-audit.ts'
import { auditFacts } from '#domain/audit-event.ts'
import type { MemoryDatabase } from './database.ts'
import { ascending } from './ordering.ts'

/** Reads the audit events of one process. */
export function createMemoryReadAudit(database: MemoryDatabase): ReadAudit {
  return ({ sinceMs, event, limit }) =>
    database.run(() =>
      database.audit
        .rows()
        .filter((row) => row.atMs >= sinceMs && (event === null || row.event === event))
        .toSorted((a, b) => ascending(a.atMs, b.atMs))
        .slice(0, limit)
        .map((row) => ({ atMs: row.atMs, event: row.event, facts: auditFacts(row) })),
    )
}
