import type { EntityManager } from '@mikro-orm/sql'
import type { TokenStore } from '#application/ports/token-store.ts'
import { issuerOf, type StoredToken, tokenFromRow } from '#domain/oauth-access-token.ts'
import { pageOf } from '#domain/page.ts'
import type { Subject } from '#domain/subject.ts'
import { isUuid } from '#domain/uuid.ts'
import { epochMs, instant, type Parameter, rowOf, rowsOf } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

const COLUMNS = `id, subject_email as "subjectEmail", subject_issuer as "subjectIssuer", account_id as "accountId",
  client_id as "clientId", device_label as "deviceLabel", prefix, token_hash as "tokenHash",
  ${epochMs('created_at', 'createdAtMs')}, ${epochMs('last_used_at', 'lastUsedAtMs')},
  last_used_ip as "lastUsedIp", ${epochMs('expires_at', 'expiresAtMs')}`

/** Tokens in `oauth_access_tokens`. */
export function createPostgresTokenStore(em: EntityManager): TokenStore {
  return translateErrors<TokenStore>({
    async mint(token) {
      const { subject } = token
      const minted = await rowOf<{ id: string; rotatedHash: string | null }>(
        em,
        `insert into oauth_access_tokens as held (id, subject_email, subject_issuer, account_id, client_id,
            device_label, prefix, token_hash, created_at, expires_at)
          values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          on conflict (subject_email, subject_issuer, client_id, device_label) where revoked_at is null
          do update set rotated_from = held.token_hash, token_hash = excluded.token_hash, prefix = excluded.prefix,
            account_id = excluded.account_id, created_at = excluded.created_at, expires_at = excluded.expires_at,
            last_used_at = null, last_used_ip = null, user_agent = null
          returning id, rotated_from as "rotatedHash"`,
        [
          token.id,
          subject.email,
          issuerOf(subject),
          subject.type === 'account' ? subject.accountId : null,
          token.clientId,
          token.deviceLabel,
          token.prefix,
          token.tokenHash,
          instant(token.createdAtMs),
          instant(token.expiresAtMs),
        ],
      )
      if (minted === null) throw new Error('mint: the upsert returned no row')
      return minted
    },

    findByHash: (tokenHash) =>
      rowOf<StoredToken>(em, `select ${COLUMNS} from oauth_access_tokens where token_hash = ? and revoked_at is null`, [
        tokenHash,
      ]),

    async findOwn(subject, id) {
      if (!isUuid(id)) return null
      const own = ownedBy(subject)
      return rowOf<{ id: string; revoked: boolean }>(
        em,
        `select id, revoked_at is not null as revoked from oauth_access_tokens where id = ? and ${own.where}`,
        [id, ...own.parameters],
      )
    },

    async listLive(subject, page, nowMs) {
      const own = ownedBy(subject)
      const live = `from oauth_access_tokens
        where revoked_at is null and token_hash is not null and ${own.where} and expires_at > ?`
      const parameters = [...own.parameters, instant(nowMs)]
      const counted = await rowOf<{ total: number }>(em, `select count(*)::int as total ${live}`, parameters)
      const rows = await rowsOf<StoredToken>(
        em,
        `select ${COLUMNS} ${live} order by created_at desc, id desc limit ? offset ?`,
        [...parameters, page.limit, (page.page - 1) * page.limit],
      )
      const tokens = rows.map(tokenFromRow).filter((token) => token !== null)
      return pageOf(page, counted?.total ?? 0, tokens)
    },

    async revoke(id, atMs, onlyHash) {
      if (!isUuid(id)) return null
      const dead = await rowOf<{ tokenHash: string }>(
        em,
        // The lock makes a second revoke wait, look again and find nothing; the digest read is the one that dies.
        `with target as (
            select id, token_hash from oauth_access_tokens
            where id = ? and revoked_at is null and token_hash = coalesce(?, token_hash) for update
          )
          update oauth_access_tokens as held set revoked_at = ?, token_hash = null from target
          where held.id = target.id
          returning target.token_hash as "tokenHash"`,
        [id, onlyHash ?? null, instant(atMs)],
      )
      return dead?.tokenHash ?? null
    },
  })
}

/** Which rows are the subject's own; an external subject never matches an account row that has its email. */
function ownedBy(subject: Subject): { readonly where: string; readonly parameters: readonly Parameter[] } {
  return subject.type === 'account'
    ? { where: 'account_id = ?', parameters: [subject.accountId] }
    : {
        where: 'subject_email = ? and subject_issuer = ? and account_id is null',
        parameters: [subject.email, subject.issuer],
      }
}
