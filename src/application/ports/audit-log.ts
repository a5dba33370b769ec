import type { AuditEvent } from '#domain/audit-event.ts'

/** Append-only. Inside a unit of work the row commits with its cause; each event is also one log line. */
export interface AuditLog {
  append(event: AuditEvent, atMs: number): Promise<void>
}
