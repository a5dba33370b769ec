import type { OAuthAccessToken, StoredToken } from '#domain/oauth-access-token.ts'
import type { Page, PageRequest } from '#domain/page.ts'
import type { Subject } from '#domain/subject.ts'

export type NewToken = {
  readonly id: string
  readonly subject: Subject
  readonly clientId: string
  readonly deviceLabel: string
  readonly prefix: string
  readonly tokenHash: string
  readonly createdAtMs: number
  readonly expiresAtMs: number
}

/** Tokens at rest. One live row per (subject email, issuer, client, label). */
export interface TokenStore {
  /**
   * Inserts, or rotates the device's live row in place (its id stays). One statement: of concurrent mints for one
   * device every one returns, and only the last token lives. `rotatedHash` is the digest that just died, or null.
   */
  mint(token: NewToken): Promise<{ readonly id: string; readonly rotatedHash: string | null }>

  /** The row as stored, expired or not, or null: unknown or revoked hashes are unfindable. */
  findByHash(tokenHash: string): Promise<StoredToken | null>

  /** The subject's own row by id: live, expired or revoked. An external subject never matches an account row. */
  findOwn(subject: Subject, id: string): Promise<{ readonly id: string; readonly revoked: boolean } | null>

  /** The subject's live rows at `nowMs` (not revoked, not expired), newest first. */
  listLive(subject: Subject, page: PageRequest, nowMs: number): Promise<Page<OAuthAccessToken>>

  /**
   * Ends the row: true-once compare-and-set. The digest that died, or null when it was dead already. With `onlyHash`
   * a row that was rotated to another digest in between is left alone.
   */
  revoke(id: string, atMs: number, onlyHash?: string): Promise<string | null>
}
