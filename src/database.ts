import { answers, isMigrated, migrate, type Orm, openPglite, openPostgres } from '#adapters/postgres/open-orm.ts'
import type { Check } from '#application/use-cases/check-readiness.ts'
import type { Config } from './config.ts'

/** The configured database: PostgreSQL, or the embedded one. */
export async function openDatabase(config: Config, socketPath: string | null): Promise<Orm> {
  return config.databaseUrl === null
    ? openPglite({ dataDir: config.dataDir, socketPath })
    : openPostgres({ url: config.databaseUrl })
}

/** Longer than any request may wait for one query; only a database that hangs takes so long. */
const QUERY_TIMEOUT_MS = 15_000

/**
 * The same, brought up to date, for whoever serves from it; closed again when that fails. On PostgreSQL a migration has
 * a connection of its own: it may take longer than any request waits.
 */
export async function openUpToDate(config: Config, socketPath: string | null): Promise<Orm> {
  const orm = await openDatabase(config, socketPath)
  try {
    await migrate(orm)
  } catch (error) {
    await orm.close()
    throw error
  }
  if (config.databaseUrl === null) return orm
  await orm.close()
  return openPostgres({ url: config.databaseUrl, queryTimeoutMs: QUERY_TIMEOUT_MS })
}

/** Without the database nothing can be served. */
export function databaseChecks(orm: Orm): readonly Check[] {
  return [
    { name: 'database', essential: true, passes: () => answers(orm) },
    { name: 'migrations', essential: true, passes: () => isMigrated(orm) },
  ]
}
