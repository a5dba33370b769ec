import type { AuthContext } from '#domain/auth-context.ts'
import { DomainError } from '#domain/errors.ts'
import type { SubjectType } from '#domain/subject.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'

/**
 * Lets only one kind of subject on; who tries with the other kind is recorded.
 * @throws DomainError `wrong_subject_type`
 */
export type RequireSubject = (context: AuthContext, accepted: SubjectType, route: string) => Promise<void>

export function makeRequireSubject({ audit, now }: { audit: AuditLog; now: Clock }): RequireSubject {
  return async ({ subject, tokenId }, accepted, route) => {
    if (subject.type === accepted) return
    const facts = { tokenId, subjectType: subject.type, route }
    await audit.append({ event: 'openapi.wrong_surface_denied', facts }, now())
    throw new DomainError('wrong_subject_type', {})
  }
}
