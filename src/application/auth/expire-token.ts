import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { TokenCache } from '../ports/token-cache.ts'
import type { TokenStore } from '../ports/token-store.ts'
import type { UnitOfWork } from '../ports/unit-of-work.ts'

type Needs = { tokens: TokenStore; cache: TokenCache; audit: AuditLog; unitOfWork: UnitOfWork; now: Clock }

/** Ends a token that outlived itself; of concurrent callers one writes the audit row. */
export type ExpireToken = (token: { readonly id: string; readonly tokenHash: string }) => Promise<void>

export function makeExpireToken({ tokens, cache, audit, unitOfWork, now }: Needs): ExpireToken {
  return async ({ id, tokenHash }) => {
    await unitOfWork(async () => {
      const won = (await tokens.revoke(id, now(), tokenHash)) !== null
      if (won) await audit.append({ event: 'oauth.token_expired', facts: { tokenId: id } }, now())
    })
    await cache.invalidate([tokenHash])
  }
}
