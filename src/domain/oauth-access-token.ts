import type { Scope } from './scope.ts'
import { ACCOUNT_ISSUER, type Subject } from './subject.ts'
import { TOKEN_KINDS, type TokenKind } from './token-kind.ts'

/** One live grant of one device. The secret is known only to its holder; here is its SHA-256. */
export type OAuthAccessToken = {
  readonly id: string
  readonly subject: Subject
  readonly clientId: string
  readonly deviceLabel: string
  readonly prefix: string
  readonly tokenHash: string
  readonly createdAtMs: number
  readonly lastUsedAtMs: number | null
  readonly lastUsedIp: string | null
  readonly expiresAtMs: number
}

/** A row as stored, before anyone has checked that its parts agree. */
export type StoredToken = {
  readonly id: string
  readonly subjectEmail: string
  readonly subjectIssuer: string | null
  readonly accountId: string | null
  readonly clientId: string
  readonly deviceLabel: string
  readonly prefix: string
  readonly tokenHash: string
  readonly createdAtMs: number
  readonly lastUsedAtMs: number | null
  readonly lastUsedIp: string | null
  readonly expiresAtMs: number
}

export function isExpired(token: { readonly expiresAtMs: number }, nowMs: number): boolean {
  return nowMs >= token.expiresAtMs
}

export function kindOfPrefix(prefix: string): TokenKind | null {
  return TOKEN_KINDS.find((kind) => kind.prefix === prefix) ?? null
}

/**
 * The token a stored row means, or null when row and kind disagree: an account id is there exactly for
 * `dfoa_`, an issuer for `dfoe_`. A corrupt row never elevates.
 */
export function tokenFromRow(row: StoredToken): OAuthAccessToken | null {
  const subject = subjectFromRow(row)
  if (subject === null) return null
  const { subjectEmail: _email, subjectIssuer: _issuer, accountId: _account, ...rest } = row
  return { ...rest, subject }
}

function subjectFromRow({ prefix, accountId, subjectEmail, subjectIssuer }: StoredToken): Subject | null {
  const kind = kindOfPrefix(prefix)
  if (kind?.subjectType === 'account' && accountId !== null && subjectIssuer === ACCOUNT_ISSUER) {
    return { type: 'account', accountId, email: subjectEmail }
  }
  if (kind?.subjectType === 'external_sso' && accountId === null && subjectIssuer !== null && subjectIssuer !== '') {
    return { type: 'external_sso', email: subjectEmail, issuer: subjectIssuer }
  }
  return null
}

/**
 * Guards a mint: subject, prefix and scopes must be one registered kind.
 * @throws Error when they are not; that is a bug of the caller, never of a user.
 */
export function assertMintable(kind: TokenKind, subject: Subject, scopes: readonly Scope[]): void {
  const registered = kindOfPrefix(kind.prefix)
  const agrees =
    registered !== null &&
    registered.subjectType === subject.type &&
    registered.scopes.length === scopes.length &&
    registered.scopes.every((scope) => scopes.includes(scope))
  if (!agrees) throw new Error('mint: subject type, prefix and scopes are not one registered kind')
  if (subject.type === 'external_sso' && ['', ACCOUNT_ISSUER].includes(subject.issuer.trim())) {
    throw new Error('mint: external subject has no issuer of its own')
  }
}

/** The issuer column of a subject's rows. */
export function issuerOf(subject: Subject): string {
  return subject.type === 'account' ? ACCOUNT_ISSUER : subject.issuer
}
