import type { AuthContext } from '#domain/auth-context.ts'
import type { Origin } from '#domain/device-flow-state.ts'
import { DomainError } from '#domain/errors.ts'
import { isExpired, kindOfPrefix, tokenFromRow } from '#domain/oauth-access-token.ts'
import { type Bucket, limits } from '#domain/rate-limit.ts'
import { type Subject, subjectKey } from '#domain/subject.ts'
import { parseTokenKind } from '#domain/token-kind.ts'
import type { AccountDirectory, MembershipDirectory } from '../ports/account-directory.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { RateLimiter } from '../ports/rate-limiter.ts'
import type { Digest, NewId } from '../ports/secrets.ts'
import { type CacheRead, FORGET_TTL_MS, type TokenCache } from '../ports/token-cache.ts'
import type { TokenStore } from '../ports/token-store.ts'
import type { ExpireToken } from './expire-token.ts'
import type { NoteLimitHit, Spend } from './spend.ts'
import type { TokenUsage } from './token-use.ts'

export type BearerSettings = { readonly enabled: boolean; readonly perMinute: number }

type Needs = {
  limiter: RateLimiter
  cache: TokenCache
  tokens: TokenStore
  accounts: AccountDirectory
  memberships: MembershipDirectory
  expireToken: ExpireToken
  noteLimitHit: NoteLimitHit
  spend: Spend
  tokenUsage: TokenUsage
  digest: Digest
  newId: NewId
  now: Clock
  log: Log
  settings: BearerSettings
}

/** A limit that all tokens of one subject share, by the subject's key. */
export type SubjectLimit = (subjectKey: string) => Bucket

export type BearerUse = {
  /** Spent beside the token's own limit. */
  readonly ownLimit?: SubjectLimit | undefined
  /** Where the request comes from; asked only of a token that is good, or that hits a limit for the first time. */
  readonly from?: (() => Origin) | undefined
}

/** Who holds `bearer`; null is a request that brought none. */
export type Authenticate = (bearer: string | null, use?: BearerUse) => Promise<AuthContext>

const MAX_SUBJECTS = 10_000
/** Half of what a change is remembered for; the rest is for the fill itself to arrive. */
const FILL_WITHIN_MS = FORGET_TTL_MS / 2

/**
 * Bearer to context: shape, then limit, then cache, then database. The limit is spent once and before any
 * resolution, so a revoked token's replay is bounded too. Unknown, malformed, revoked and expired tokens are
 * refused alike: no oracle.
 * @throws DomainError `bearer_required` | `bearer_auth_disabled` | `invalid_bearer` | `rate_limited`
 */
export function makeAuthenticate(needs: Needs): Authenticate {
  const { limiter, digest, now, settings, expireToken, noteLimitHit, spend, tokenUsage } = needs
  // Whose window a token counts in, so that both limits leave in one write. It admits nobody: a digest never changes
  // its subject, and whether the token lives is asked every time.
  const subjects = new Map<string, Subject>()

  return async (bearer, { ownLimit, from } = {}) => {
    if (bearer === null) throw new DomainError('bearer_required', {})
    if (!settings.enabled) throw new DomainError('bearer_auth_disabled', {})
    if (parseTokenKind(bearer) === null) throw new DomainError('invalid_bearer', {})

    const tokenHash = digest(bearer)
    const bucket = limits.bearer(tokenHash, settings.perMinute)
    const subject = ownLimit === undefined ? undefined : subjects.get(tokenHash)
    const own = subject === undefined ? undefined : ownLimit?.(subjectKey(subject))
    const buckets = own === undefined ? [bucket] : [bucket, own]
    const { retryAfterMs, refusedBy, cached, receipt } = await limiter.admit(buckets, tokenHash)
    if (retryAfterMs !== null) {
      await noteLimitHit(buckets[refusedBy ?? 0] ?? bucket, () => whoOf(subject, from))
      throw new DomainError('rate_limited', { retryAfterMs })
    }

    const isFresh = cached.kind === 'hit' && !isExpired(cached.context, now())
    const context = isFresh ? cached.context : await live(cached, tokenHash)
    if (context === null) {
      // Replaying a dead token must not use up the limit of the person it was once given to.
      if (own !== undefined) await limiter.giveBack(own, receipt)
      subjects.delete(tokenHash)
      throw new DomainError('invalid_bearer', {})
    }
    if (from !== undefined) tokenUsage.note(tokenHash, from())
    if (ownLimit !== undefined && own === undefined) {
      if (subjects.size >= MAX_SUBJECTS) subjects.clear()
      subjects.set(tokenHash, context.subject)
      await spend(ownLimit(subjectKey(context.subject)), whoOf(context.subject, from))
    }
    return context
  }

  async function live(cached: CacheRead, tokenHash: string): Promise<AuthContext | null> {
    if (cached.kind === 'invalid') return null
    const context = cached.kind === 'hit' ? cached.context : await resolve(needs, tokenHash)
    if (context === null || !isExpired(context, now())) return context
    await expireToken({ id: context.tokenId, tokenHash })
    return null
  }
}

/** A token beyond its limit is not looked up, so mostly the address alone tells whose program does not wait. */
function whoOf(subject: Subject | undefined, from: BearerUse['from']) {
  return { ip: from?.().ip ?? null, accountId: subject?.type === 'account' ? subject.accountId : null }
}

async function resolve(
  { tokens, cache, accounts, memberships, newId, now, log }: Needs,
  tokenHash: string,
): Promise<AuthContext | null> {
  const startedAtMs = now()
  const row = await tokens.findByHash(tokenHash)
  const token = row === null ? null : tokenFromRow(row)
  if (row !== null && token === null) log.error('token row and prefix disagree', { tokenId: row.id })
  const kind = token === null ? null : kindOfPrefix(token.prefix)
  if (token === null || kind === null) {
    await cache.putMiss(tokenHash)
    return null
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
  // Who read for longer may hold what a change replaced meanwhile, and that change's tombstone may be gone.
  if (now() - startedAtMs <= FILL_WITHIN_MS) await cache.put(tokenHash, context)
  return context
}
