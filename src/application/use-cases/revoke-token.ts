import { parseTokenKind } from '#domain/token-kind.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { Digest } from '../ports/secrets.ts'
import type { TokenCache } from '../ports/token-cache.ts'
import type { TokenStore } from '../ports/token-store.ts'
import type { UnitOfWork } from '../ports/unit-of-work.ts'

type Needs = {
  tokens: TokenStore
  cache: TokenCache
  audit: AuditLog
  unitOfWork: UnitOfWork
  digest: Digest
  now: Clock
}

/** RFC 7009: ends a token for whoever holds it, at once and on every replica. Unknown and dead ones are fine (§2.2). */
export type RevokeToken = (token: string) => Promise<void>

export function makeRevokeToken({ tokens, cache, audit, unitOfWork, digest, now }: Needs): RevokeToken {
  return async (text) => {
    const kind = parseTokenKind(text)
    if (kind === null) return
    const tokenHash = digest(text)
    const row = await tokens.findByHash(tokenHash)
    if (row === null) return
    await unitOfWork(async () => {
      if ((await tokens.revoke(row.id, now(), tokenHash)) === null) return
      const { id: tokenId, accountId } = row
      const facts = { tokenId, subjectType: kind.subjectType, accountId, reason: 'revoked_by_holder' }
      await audit.append({ event: 'oauth.token_revoked', facts }, now())
    })
    await cache.invalidate([tokenHash])
  }
}
