import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Migrator } from '@mikro-orm/migrations'
import type { EntityManager } from '@mikro-orm/sql'
import { MIGRATIONS } from './migrations.ts'
import { ENTITIES } from './schema.ts'

/** An open database of either kind. */
export type Orm = {
  readonly em: EntityManager
  readonly migrator: Migrator
  /** Whether other processes may use the same database at the same time. */
  readonly shared: boolean
  close(): Promise<void>
}

/** Waiting longer for a connection than this is a refusal (the caller answers 503). */
const CONNECT_TIMEOUT_MS = 5_000
/** The migrator looks at its own table beside the transaction that holds the lock. */
const SMALLEST_POOL = 2
/** date, timestamp, timestamptz, interval */
const INSTANT_TYPES = [1082, 1114, 1184, 1186]

const common = {
  entities: ENTITIES,
  extensions: [Migrator],
  migrations: { migrationsList: MIGRATIONS, snapshot: false, silent: true },
  // The stores' one manager is a fork; this only keeps the mapper from reading context that is not there.
  allowGlobalContext: true,
  colors: false,
  logger: () => {},
}

/** Opens a PostgreSQL database. Connects lazily: a database that is down shows at the first query. */
export async function openPostgres(options: { readonly url: string; readonly poolMax?: number }): Promise<Orm> {
  const { MikroORM } = await import('@mikro-orm/postgresql')
  const orm = await MikroORM.init({
    ...common,
    clientUrl: options.url,
    driverOptions: {
      max: Math.max(SMALLEST_POOL, options.poolMax ?? 10),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    },
  })
  return { em: orm.em, migrator: new Migrator(orm.em), shared: true, close: () => orm.close() }
}

/**
 * Opens the embedded database in `dataDir`, or in memory when that is null. The caller holds the directory's lock:
 * a second opener goes unnoticed here, and rows are lost.
 */
export async function openPglite(options: { readonly dataDir: string | null }): Promise<Orm> {
  const database = await createPglite(options.dataDir === null ? null : join(options.dataDir, 'pgdata'))
  const { MikroORM } = await import('@mikro-orm/pglite')
  const orm = await MikroORM.init({ ...common, dbName: 'latchkey', driverOptions: { pglite: () => database } })
  const close = async () => {
    await orm.close()
    await database.close()
  }
  return { em: orm.em, migrator: new Migrator(orm.em), shared: false, close }
}

/** The ready-made cluster spares the first start `initdb`. */
async function createPglite(dataDir: string | null) {
  const { PGlite } = await import('@electric-sql/pglite')
  const isNew = dataDir === null || !existsSync(join(dataDir, 'PG_VERSION'))
  const loadDataDir = isNew ? await (await import('@electric-sql/pglite-prepopulatedfs')).dataDir() : undefined
  return PGlite.create({
    ...(dataDir === null ? {} : { dataDir }),
    ...(loadDataDir === undefined ? {} : { loadDataDir }),
    // The mapper reads instants as text on both databases.
    parsers: Object.fromEntries(INSTANT_TYPES.map((type) => [type, (text: string) => text])),
  })
}
