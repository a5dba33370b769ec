import type { EntityManager } from '@mikro-orm/sql'
import type { UnitOfWork } from '#application/ports/unit-of-work.ts'
import { translateError } from './translate-errors.ts'

/** Transactions that stores join through async context; one inside another is a savepoint. */
export function createPostgresUnitOfWork(em: EntityManager): UnitOfWork {
  return async (work, options) => {
    let fromWork: { readonly error: unknown } | null = null
    try {
      return await em.transactional(async () => {
        if (options?.timeoutMs !== undefined) {
          await em.execute(`set local statement_timeout = ${Math.max(1, Math.floor(options.timeoutMs))}`)
        }
        try {
          return await work()
        } catch (error) {
          fromWork = { error }
          throw error
        }
      })
    } catch (error) {
      // What the work threw is already told in the core's words; only begin and commit are the database's own.
      throw fromWork === null ? translateError(error) : error
    }
  }
}
