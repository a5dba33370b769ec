import type { AuditLog } from '#application/ports/audit-log.ts'
import type { Log } from '#application/ports/log.ts'
import { auditFacts } from '#domain/audit-event.ts'

/** Makes every audit event one structured log line beside its row. */
export function withAuditLines(audit: AuditLog, log: Log): AuditLog {
  return {
    async append(event, atMs) {
      await audit.append(event, atMs)
      log.info(event.event, { audit: true, event: event.event, ...auditFacts(event) })
    },
  }
}
