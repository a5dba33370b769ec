import type { TokenStore } from '#application/ports/token-store.ts'
import { issuerOf, type StoredToken, tokenFromRow } from '#domain/oauth-access-token.ts'
import { pageOf } from '#domain/page.ts'
import type { Subject } from '#domain/subject.ts'
import type { MemoryDatabase, TokenRow } from './database.ts'
import { descending } from './ordering.ts'

/** Tokens of one process. */
export function createMemoryTokenStore(database: MemoryDatabase): TokenStore {
  const { tokens } = database
  return {
    mint: (token) =>
      database.run(() => {
        const { id, subject, ...rest } = token
        const fresh = {
          ...rest,
          subjectEmail: subject.email,
          subjectIssuer: issuerOf(subject),
          accountId: subject.type === 'account' ? subject.accountId : null,
          lastUsedAtMs: null,
          lastUsedIp: null,
          userAgent: null,
          revokedAtMs: null,
        }
        const held = tokens.rows().find((row) => row.revokedAtMs === null && sameDevice(row, fresh))
        const row = { ...fresh, id: held?.id ?? id }
        tokens.set(row.id, row)
        return { id: row.id, rotatedHash: held?.tokenHash ?? null }
      }),

    findByHash: (tokenHash) =>
      database.run(() => {
        const row = tokens.rows().find((one) => one.revokedAtMs === null && one.tokenHash === tokenHash)
        return row === undefined ? null : stored(row)
      }),

    findOwn: (subject, id) =>
      database.run(() => {
        const row = tokens.get(id)
        return row === undefined || !isOwn(row, subject) ? null : { id: row.id, revoked: row.revokedAtMs !== null }
      }),

    listLive: (subject, page, nowMs) =>
      database.run(() => {
        const live = tokens
          .rows()
          .filter((row) => row.revokedAtMs === null && isOwn(row, subject) && nowMs < row.expiresAtMs)
          .toSorted((a, b) => descending(a.createdAtMs, b.createdAtMs) || descending(a.id, b.id))
        const offset = (page.page - 1) * page.limit
        const shown = live.slice(offset, offset + page.limit).map((row) => stored(row))
        const found = shown.flatMap((row) => (row === null ? [] : [tokenFromRow(row)]))
        return pageOf(
          page,
          live.length,
          found.filter((token) => token !== null),
        )
      }),

    revoke: (id, atMs, onlyHash) =>
      database.run(() => {
        const row = tokens.get(id)
        if (row === undefined || row.revokedAtMs !== null) return null
        if (onlyHash !== undefined && row.tokenHash !== onlyHash) return null
        tokens.set(id, { ...row, tokenHash: null, revokedAtMs: atMs })
        return row.tokenHash
      }),
  }
}

type Device = Pick<TokenRow, 'subjectEmail' | 'subjectIssuer' | 'clientId' | 'deviceLabel'>

function sameDevice(a: Device, b: Device): boolean {
  return (
    a.subjectEmail === b.subjectEmail &&
    a.subjectIssuer === b.subjectIssuer &&
    a.clientId === b.clientId &&
    a.deviceLabel === b.deviceLabel
  )
}

/** An external subject never matches an account row that has its email. */
function isOwn(row: TokenRow, subject: Subject): boolean {
  return subject.type === 'account'
    ? row.accountId === subject.accountId
    : row.accountId === null && row.subjectEmail === subject.email && row.subjectIssuer === subject.issuer
}

function stored({
  tokenHash,
  revokedAtMs: _revokedAtMs,
  userAgent: _userAgent,
  ...rest
}: TokenRow): StoredToken | null {
  return tokenHash === null ? null : { ...rest, tokenHash }
}
