import type { AuthContext } from '#domain/auth-context.ts'
import { DomainError } from '#domain/errors.ts'
import { isExpired, kindOfPrefix, tokenFromRow } from '#domain/oauth-access-token.ts'
import { limits } from '#domain/rate-limit.ts'
import { parseTokenKind } from '#domain/token-kind.ts'
import type { AccountDirectory, MembershipDirectory } from '../ports/account-directory.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { RateLimiter } from '../ports/rate-limiter.ts'
import type { Digest, NewId } from '../ports/secrets.ts'
import type { TokenCache } from '../ports/token-cache.ts'
import type { TokenStore } from '../ports/token-store.ts'
import type { ExpireToken } from './expire-token.ts'
import type { NoteLimitHit } from './spend.ts'

export type BearerSettings = { readonly enabled: boolean; readonly perMinute: number }

type Needs = {
  limiter: RateLimiter
  cache: TokenCache
  tokens: TokenStore
  accounts: AccountDirectory
  memberships: MembershipDirectory
  expireToken: ExpireToken
  noteLimitHit: NoteLimitHit
  digest: Digest
  newId: NewId
  now: Clock
  log: Log
  settings: BearerSettings
}

/** Who holds `bearer`; null is a request that brought none. */
export type Authenticate = (bearer: string | null) => Promise<AuthContext>

/**
 * Bearer to context: shape, then limit, then cache, then database. The limit is spent once and before any
 * resolution, so a revoked token's replay is bounded too. Unknown, malformed, revoked and expired tokens are
 * refused alike: no oracle.
 * @throws DomainError `bearer_required` | `bearer_auth_disabled` | `invalid_bearer` | `rate_limited`
 */
export function makeAuthenticate(needs: Needs): Authenticate {
  const { limiter, digest, now, settings, expireToken, noteLimitHit } = needs
  return async (bearer) => {
    if (bearer === null) throw new DomainError('bearer_required', {})
    if (!settings.enabled) throw new DomainError('bearer_auth_disabled', {})
    if (parseTokenKind(bearer) === null) throw new DomainError('invalid_bearer', {})

    const tokenHash = digest(bearer)
    const bucket = limits.bearer(tokenHash, settings.perMinute)
    const { retryAfterMs, cached } = await limiter.admit([bucket], tokenHash)
    if (retryAfterMs !== null) {
      await noteLimitHit(bucket, NOBODY)
      throw new DomainError('rate_limited', { retryAfterMs })
    }
    if (cached.kind === 'invalid') throw new DomainError('invalid_bearer', {})

    const context = cached.kind === 'hit' ? cached.context : await resolve(needs, tokenHash)
    if (isExpired(context, now())) {
      await expireToken({ id: context.tokenId, tokenHash })
      throw new DomainError('invalid_bearer', {})
    }
    return context
  }
}

const NOBODY = { ip: null, accountId: null }

async function resolve({ tokens, cache, accounts, memberships, newId, log }: Needs, tokenHash: string) {
  const row = await tokens.findByHash(tokenHash)
  const token = row === null ? null : tokenFromRow(row)
  if (row !== null && token === null) log.error('token row and prefix disagree', { tokenId: row.id })
  const kind = token === null ? null : kindOfPrefix(token.prefix)
  if (token === null || kind === null) {
    await cache.putMiss(tokenHash)
    throw new DomainError('invalid_bearer', {})
  }
  const accountId = token.subject.type === 'account' ? token.subject.accountId : null
  const context: AuthContext = {
    subject: token.subject,
    clientId: token.clientId,
    scopes: kind.scopes,
    tokenId: token.id,
    tokenHash,
    source: kind.source,
    expiresAtMs: token.expiresAtMs,
    account: accountId === null ? null : await accounts.find(accountId),
    memberships: accountId === null ? [] : await memberships.list(accountId),
    verifiedWorkspaces: {},
    cacheEntryId: newId(),
  }
  await cache.put(tokenHash, context)
  return context
}
