import type { EntityManager } from '@mikro-orm/sql'
import { type PruneTokens, SIGN_IN_KEPT_MS } from '#application/ports/token-pruner.ts'
import type { Orm } from './open-orm.ts'
import { instant, rowOf, rowsOf } from './sql.ts'
import { translateError } from './translate-errors.ts'

/** Small enough that no login waits for the locks of one, and its log fits. */
export const PRUNE_BATCH = 500
/** Any number, the same in every replica. */
const PRUNE_LOCK = 7_233_402

const TOKENS = { table: 'oauth_access_tokens', key: 'id' } as const
const SIGN_INS = { table: 'console_refresh_tokens', key: 'hash' } as const

/** A family goes as a whole: the row that ended it keeps a successor that came late from bringing it back. */
const OVER = `expires_at < ? and not exists (
    select 1 from console_refresh_tokens other where other.family = held.family and other.expires_at >= ?)`

/** Deletes from `oauth_access_tokens` and `console_refresh_tokens`. */
export function createPostgresTokenPruner(orm: Orm): PruneTokens {
  async function pruneWhere(
    em: EntityManager,
    { table, key, ended }: { readonly table: string; readonly key: string; readonly ended: string },
    cutoffs: readonly number[],
    signal?: AbortSignal,
  ): Promise<number> {
    let deleted = 0
    for (let batch = PRUNE_BATCH; batch === PRUNE_BATCH && signal?.aborted !== true; deleted += batch) {
      const dead = await rowsOf(
        em,
        // Rows that are being rotated or revoked just now are left for the next day.
        `delete from ${table} where ${key} in (
            select ${key} from ${table} held where ${ended} limit ${PRUNE_BATCH} for update skip locked
          ) returning 1 as dead`,
        cutoffs.map(instant),
      )
      batch = dead.length
    }
    return deleted
  }

  async function prune(cutoffMs: number, signal?: AbortSignal) {
    const em = orm.em.fork()
    const revoked = await pruneWhere(em, { ...TOKENS, ended: 'revoked_at < ?' }, [cutoffMs], signal)
    const unrevoked = 'revoked_at is null and expires_at < ?'
    const expired = await pruneWhere(em, { ...TOKENS, ended: unrevoked }, [cutoffMs], signal)
    const overMs = cutoffMs - SIGN_IN_KEPT_MS
    await pruneWhere(em, { ...SIGN_INS, ended: OVER }, [overMs, overMs], signal)
    return { revoked, expired }
  }

  return async (cutoffMs, signal) => {
    try {
      // The embedded database has one process and one connection: nobody to keep out, and none left beside a lock.
      if (!orm.shared) return await prune(cutoffMs, signal)
      return await orm.em.fork().transactional(async (holder) => {
        const held = await rowOf<{ won: boolean }>(holder, 'select pg_try_advisory_xact_lock(?) as won', [PRUNE_LOCK])
        return held?.won === true ? prune(cutoffMs, signal) : null
      })
    } catch (error) {
      throw translateError(error)
    }
  }
}
