import type { EntityManager } from '@mikro-orm/sql'
import type { PruneTokens } from '#application/ports/token-pruner.ts'
import type { Orm } from './open-orm.ts'
import { instant, rowOf, rowsOf } from './sql.ts'
import { translateError } from './translate-errors.ts'

/** Small enough that no login waits for the locks of one, and its log fits. */
export const PRUNE_BATCH = 500
/** Any number, the same in every replica. */
const PRUNE_LOCK = 7_233_402

/** Deletes from `oauth_access_tokens`. */
export function createPostgresTokenPruner(orm: Orm): PruneTokens {
  async function pruneWhere(em: EntityManager, ended: string, cutoffMs: number, signal?: AbortSignal): Promise<number> {
    let deleted = 0
    for (let batch = PRUNE_BATCH; batch === PRUNE_BATCH && signal?.aborted !== true; deleted += batch) {
      const dead = await rowsOf(
        em,
        // Rows that are being rotated or revoked just now are left for the next day.
        `delete from oauth_access_tokens where id in (
            select id from oauth_access_tokens where ${ended} limit ${PRUNE_BATCH} for update skip locked
          ) returning 1 as dead`,
        [instant(cutoffMs)],
      )
      batch = dead.length
    }
    return deleted
  }

  async function prune(cutoffMs: number, signal?: AbortSignal) {
    const em = orm.em.fork()
    const revoked = await pruneWhere(em, 'revoked_at < ?', cutoffMs, signal)
    const expired = await pruneWhere(em, 'revoked_at is null and expires_at < ?', cutoffMs, signal)
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
