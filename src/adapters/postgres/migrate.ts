import type { Orm } from './open-orm.ts'

/** Any number, the same in every replica. */
const MIGRATION_LOCK = 7_233_401

/**
 * Brings the database up to date; a no-op when it is. Any number of processes may call it at once: on a shared
 * database one works and the others wait. The migrator has no lock of its own.
 */
export async function migrate(orm: Orm): Promise<void> {
  if (!orm.shared) {
    await orm.migrator.up()
    return
  }
  await orm.em.fork().transactional(async (em) => {
    await em.execute(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
    const transaction = em.getTransactionContext()
    await orm.migrator.up(transaction === undefined ? {} : { transaction })
  })
}
