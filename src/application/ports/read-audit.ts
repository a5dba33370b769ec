import type { AuditEventName } from '#domain/audit-event.ts'

/** An event as it was stored; facts go by the names of `auditFacts`. */
export type AuditRow = {
  readonly atMs: number
  readonly event: string
  readonly facts: Readonly<Record<string, unknown>>
}

export type AuditQuery = {
  /** Inclusive. */
  readonly sinceMs: number
  /** Null is every event. */
  readonly event: AuditEventName | null
  readonly limit: number
}

/** What the audit log holds, oldest first; events of one instant in the order they were appended. */
export type ReadAudit = (query: AuditQuery) => Promise<readonly AuditRow[]>
