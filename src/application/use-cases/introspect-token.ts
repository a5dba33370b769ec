import { isExpired, type OAuthAccessToken, tokenFromRow } from '#domain/oauth-access-token.ts'
import type { Scope } from '#domain/scope.ts'
import { type Subject, sameSubject } from '#domain/subject.ts'
import { parseTokenKind } from '#domain/token-kind.ts'
import type { Clock } from '../ports/clock.ts'
import type { Digest } from '../ports/secrets.ts'
import type { TokenStore } from '../ports/token-store.ts'

type Needs = { tokens: TokenStore; digest: Digest; now: Clock }

export type IntrospectToken = (
  caller: Subject,
  token: string,
) => Promise<{ readonly token: OAuthAccessToken; readonly scopes: readonly Scope[] } | null>

/**
 * RFC 7662: what a token of the caller's own is good for. Null for anything dead, unknown or another subject's, so
 * that nobody can tell which of them it was (§2.2).
 */
export function makeIntrospectToken({ tokens, digest, now }: Needs): IntrospectToken {
  return async (caller, text) => {
    const kind = parseTokenKind(text)
    if (kind === null) return null
    const row = await tokens.findByHash(digest(text))
    const token = row === null ? null : tokenFromRow(row)
    if (token === null || isExpired(token, now()) || !sameSubject(token.subject, caller)) return null
    return { token, scopes: kind.scopes }
  }
}
