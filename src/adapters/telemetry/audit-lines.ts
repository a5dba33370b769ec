import { AsyncLocalStorage } from 'node:async_hooks'
import type { AuditLog } from '#application/ports/audit-log.ts'
import type { Log } from '#application/ports/log.ts'
import type { UnitOfWork } from '#application/ports/unit-of-work.ts'
import { type AuditEvent, auditFacts } from '#domain/audit-event.ts'

type Audited = { readonly audit: AuditLog; readonly unitOfWork: UnitOfWork }

/**
 * Makes every audit event one structured log line beside its row. The lines of a unit of work are written once it
 * has committed: of fifty polls that race for one token, forty-nine roll back and must not be told as pick-ups.
 */
export function withAuditLines({ audit, unitOfWork }: Audited, log: Log): Audited {
  const waiting = new AsyncLocalStorage<AuditEvent[]>()
  const tell = (event: AuditEvent) => log.info(event.event, { audit: true, event: event.event, ...auditFacts(event) })
  return {
    audit: {
      async append(event, atMs) {
        await audit.append(event, atMs)
        const lines = waiting.getStore()
        if (lines === undefined) tell(event)
        else lines.push(event)
      },
    },
    async unitOfWork(work, options) {
      const outer = waiting.getStore()
      const lines: AuditEvent[] = []
      const result = await waiting.run(lines, () => unitOfWork(work, options))
      if (outer === undefined) lines.forEach(tell)
      else outer.push(...lines)
      return result
    },
  }
}
