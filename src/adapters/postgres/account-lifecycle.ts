import type { EntityManager } from '@mikro-orm/sql'
import type { AccountLifecycle, DeadToken } from '#application/ports/account-lifecycle.ts'
import { isUuid } from '#domain/uuid.ts'
import { instant, rowOf, rowsOf } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

/** Beginnings and ends in `accounts`, `oauth_access_tokens` and `console_refresh_tokens`. */
export function createPostgresAccountLifecycle(em: EntityManager): AccountLifecycle {
  return translateErrors<AccountLifecycle>({
    async changeStatus(accountId, from, to) {
      if (!isUuid(accountId)) return false
      const changed = await rowOf(
        em,
        `update accounts set status = ? where id = ? and status in (${from.map(() => '?').join(', ')}) returning id`,
        [to, accountId, ...from],
      )
      return changed !== null
    },

    async revokeTokens(accountId, atMs) {
      if (!isUuid(accountId)) return []
      return rowsOf<DeadToken>(
        em,
        // Locked in one order, so that two of these never wait for each other; the digests read are those that die.
        `with target as (
            select id, token_hash from oauth_access_tokens
            where account_id = ? and revoked_at is null and token_hash is not null order by id for update
          )
          update oauth_access_tokens as held set revoked_at = ?, token_hash = null from target
          where held.id = target.id
          returning held.id, target.token_hash as "tokenHash"`,
        [accountId, instant(atMs)],
      )
    },

    async endSignIns(accountId) {
      if (!isUuid(accountId)) return
      await rowsOf(
        em,
        'update console_refresh_tokens set ended_at = now() where account_id = ? and ended_at is null returning hash',
        [accountId],
      )
    },
  })
}
