import type { EntityManager } from '@mikro-orm/sql'
import type { RefreshTokenStore } from '#application/ports/refresh-token-store.ts'
import { RefreshTokenRow } from './schema.ts'
import { instant, rowOf, rowsOf } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

/**
 * Ended families keep their rows as tombstones: a refresh that was under way when the person signed out inserts
 * its successor afterwards, and must not bring the sign-in back.
 */
const STANDS = `not exists (
    select 1 from console_refresh_tokens other where other.family = held.family and other.ended_at is not null)`

/** Refresh tokens in `console_refresh_tokens`. */
export function createPostgresRefreshTokenStore(em: EntityManager): RefreshTokenStore {
  return translateErrors<RefreshTokenStore>({
    async insert(token) {
      await em.insert(RefreshTokenRow, {
        hash: token.hash,
        family: token.family,
        accountId: token.accountId,
        expiresAt: new Date(token.expiresAtMs),
      })
    },

    async use(hash, atMs) {
      const at = instant(atMs)
      const used = await rowOf<{ kind: 'ok' | 'reused'; family: string; accountId: string }>(
        em,
        `with won as (
            update console_refresh_tokens as held set used_at = ?
            where hash = ? and used_at is null and expires_at > ? and ${STANDS}
            returning family, account_id
          )
          select 'ok' as kind, family, account_id as "accountId" from won
          union all
          select 'reused', held.family, held.account_id from console_refresh_tokens held
          where held.hash = ? and held.expires_at > ? and ${STANDS} and not exists (select 1 from won)`,
        [at, hash, at, hash, at],
      )
      if (used === null) return { kind: 'unknown' }
      const { kind, family, accountId } = used
      return kind === 'ok' ? { kind, family, accountId } : { kind, family }
    },

    async endFamily(family) {
      await rowsOf(
        em,
        'update console_refresh_tokens set ended_at = now() where family = ? and ended_at is null returning hash',
        [family],
      )
    },

    async isLive({ family, accountId }, nowMs) {
      const live = await rowOf(
        em,
        `select 1 as one from console_refresh_tokens held
          where held.family = ? and held.account_id = ? and held.expires_at > ? and ${STANDS} limit 1`,
        [family, accountId, instant(nowMs)],
      )
      return live !== null
    },
  })
}
