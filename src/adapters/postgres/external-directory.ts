import type { EntityManager } from '@mikro-orm/sql'
import type { DeadToken } from '#application/ports/account-lifecycle.ts'
import type { ExternalDirectory } from '#application/ports/external-directory.ts'
import { instant, rowOf, rowsOf, storableText } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

/** Stands for every issuer in a block; no issuer is called so, since each is a URL. */
const ANY_ISSUER = '*'

/** External people in `external_subjects`, their tokens in `oauth_access_tokens`. */
export function createPostgresExternalDirectory(em: EntityManager): ExternalDirectory {
  return translateErrors<ExternalDirectory>({
    async noteSignOn({ issuer, email, sub, groups }, atMs) {
      await rowsOf(
        em,
        `insert into external_subjects (email, issuer, sub, groups, signed_on_at) values (?, ?, ?, ?::jsonb, ?)
          on conflict (email, issuer) do update
          set sub = excluded.sub, groups = excluded.groups, signed_on_at = excluded.signed_on_at
          returning email`,
        [
          storableText(email),
          storableText(issuer),
          sub === null ? null : storableText(sub),
          JSON.stringify(groups.map(storableText)),
          instant(atMs),
        ],
      )
    },

    async groups(issuer, email) {
      const row = await rowOf<{ groups: readonly string[] }>(
        em,
        'select groups from external_subjects where email = ? and issuer = ?',
        [storableText(email), storableText(issuer)],
      )
      return row?.groups ?? []
    },

    async setGroups(issuer, email, groups) {
      const row = await rowOf(
        em,
        `update external_subjects set groups = ?::jsonb
          where email = ? and issuer = ? and signed_on_at is not null returning email`,
        [JSON.stringify(groups.map(storableText)), storableText(email), storableText(issuer)],
      )
      return row !== null
    },

    async block(email, issuer, atMs) {
      await rowsOf(
        em,
        `insert into external_subjects (email, issuer, blocked_at) values (?, ?, ?)
          on conflict (email, issuer) do update set blocked_at = excluded.blocked_at returning email`,
        [storableText(email), storableText(issuer ?? ANY_ISSUER), instant(atMs)],
      )
    },

    async unblock(email, issuer) {
      const row = await rowOf(
        em,
        `update external_subjects set blocked_at = null
          where email = ? and issuer = ? and blocked_at is not null returning email`,
        [storableText(email), storableText(issuer ?? ANY_ISSUER)],
      )
      return row !== null
    },

    async isBlocked(issuer, email) {
      const row = await rowOf(
        em,
        `select email from external_subjects
          where email = ? and issuer in (?, '${ANY_ISSUER}') and blocked_at is not null limit 1`,
        [storableText(email), storableText(issuer)],
      )
      return row !== null
    },

    async emailsOf(issuer, sub) {
      const rows = await rowsOf<{ email: string }>(
        em,
        'select email from external_subjects where issuer = ? and sub = ? order by email',
        [storableText(issuer), storableText(sub)],
      )
      return rows.map(({ email }) => email)
    },

    async revokeTokens(email, issuer, atMs) {
      return rowsOf<DeadToken>(
        em,
        // Locked in one order, so that two of these never wait for each other; the digests read are those that die.
        `with target as (
            select id, token_hash from oauth_access_tokens
            where subject_email = ? and account_id is null and (?::text is null or subject_issuer = ?)
              and revoked_at is null and token_hash is not null order by id for update
          )
          update oauth_access_tokens as held set revoked_at = ?, token_hash = null from target
          where held.id = target.id
          returning held.id, target.token_hash as "tokenHash"`,
        [
          storableText(email),
          issuer === null ? null : storableText(issuer),
          issuer === null ? null : storableText(issuer),
          instant(atMs),
        ],
      )
    },
  })
}
