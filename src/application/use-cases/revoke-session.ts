import { DomainError } from '#domain/errors.ts'
import type { Subject } from '#domain/subject.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { TokenCache } from '../ports/token-cache.ts'
import type { TokenStore } from '../ports/token-store.ts'
import type { UnitOfWork } from '../ports/unit-of-work.ts'

type Needs = { tokens: TokenStore; cache: TokenCache; audit: AuditLog; unitOfWork: UnitOfWork; now: Clock }

export type RevokeSession = (subject: Subject, tokenId: string) => Promise<void>

/**
 * Ends one of the subject's own tokens, at once and on every replica; repeating it is fine.
 * @throws DomainError `session_not_found` for unknown ids and other people's alike
 */
export function makeRevokeSession({ tokens, cache, audit, unitOfWork, now }: Needs): RevokeSession {
  return async (subject, tokenId) => {
    if ((await tokens.findOwn(subject, tokenId)) === null) throw new DomainError('session_not_found', {})
    const deadHash = await unitOfWork(async () => {
      const hash = await tokens.revoke(tokenId, now())
      if (hash === null) return null
      const accountId = subject.type === 'account' ? subject.accountId : null
      const facts = { tokenId, subjectType: subject.type, accountId, reason: 'revoked_by_owner' }
      await audit.append({ event: 'oauth.token_revoked', facts }, now())
      return hash
    })
    if (deadHash !== null) await cache.invalidate([deadHash])
  }
}
