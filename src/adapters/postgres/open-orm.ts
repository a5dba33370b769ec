import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Migrator } from '@mikro-orm/migrations'
import type { EntityManager } from '@mikro-orm/sql'
import type { Pool } from 'pg'
import { lockDataDir } from './data-lock.ts'
import { returnLostConnections } from './lost-connections.ts'
import { MIGRATIONS } from './migrations.ts'
import { makePrivateFolder } from './private-folder.ts'
import { quoteAtOnce } from './quote-at-once.ts'
import { ENTITIES } from './schema.ts'

/** An open database of either kind. */
export type Orm = {
  readonly em: EntityManager
  readonly migrator: Migrator
  /** Whether other processes may use the same database at the same time. */
  readonly shared: boolean
  /** Connections by what they do; null where there is but one. */
  readonly pool:
    | (() => { readonly size: number; readonly idle: number; readonly waiting: number; readonly max: number })
    | null
  close(): Promise<void>
}

/** Waiting longer for a connection than this is a refusal (the caller answers 503). */
const CONNECT_TIMEOUT_MS = 5_000
/** The migrator looks at its own table beside the transaction that holds the lock. */
const SMALLEST_POOL = 2
/** Any number, the same in every replica. */
const MIGRATION_LOCK = 7_233_401
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

/**
 * Opens a PostgreSQL database. Connects lazily: a database that is down shows at the first query. A query that takes
 * longer than `queryTimeoutMs` is given up, so that a server that hangs holds no request for ever.
 */
export async function openPostgres(options: {
  readonly url: string
  readonly poolMax?: number
  readonly queryTimeoutMs?: number
}): Promise<Orm> {
  const { MikroORM } = await import('@mikro-orm/postgresql')
  const max = Math.max(SMALLEST_POOL, options.poolMax ?? 10)
  let pool: Pool | null = null
  const orm = await MikroORM.init({
    ...common,
    clientUrl: options.url,
    // A slip in the URL must not end in a new, empty server that whoever comes first sets up.
    ensureDatabase: false,
    driverOptions: {
      max,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      ...(options.queryTimeoutMs === undefined ? {} : { query_timeout: options.queryTimeoutMs }),
      onPoolCreated: (created: Pool) => {
        pool = created
        returnLostConnections(created)
      },
    },
  })
  quoteAtOnce(orm.em.getPlatform())
  const state = () => ({
    size: pool?.totalCount ?? 0,
    idle: pool?.idleCount ?? 0,
    waiting: pool?.waitingCount ?? 0,
    max,
  })
  return { em: orm.em, migrator: new Migrator(orm.em), shared: true, pool: state, close: () => orm.close() }
}

/**
 * Opens the embedded database in `dataDir`, or in memory when that is null. `socketPath` is written into the lock.
 * @throws DataDirLocked when another living process has it open
 */
export async function openPglite(options: {
  readonly dataDir: string | null
  readonly socketPath?: string | null
}): Promise<Orm> {
  const { dataDir } = options
  const lock = dataDir === null ? null : await lockDataDir(dataDir, options.socketPath ?? null)
  try {
    const database = await createPglite(dataDir === null ? null : join(dataDir, 'pgdata')).catch(throwAsError)
    const { MikroORM } = await import('@mikro-orm/pglite')
    const orm = await MikroORM.init({ ...common, dbName: 'latchkey', driverOptions: { pglite: () => database } })
    quoteAtOnce(orm.em.getPlatform())
    const close = async () => {
      await orm.close()
      await database.close()
      await lock?.release()
    }
    return { em: orm.em, migrator: new Migrator(orm.em), shared: false, pool: null, close }
  } catch (error) {
    await lock?.release()
    throw error
  }
}

/** The ready-made cluster spares the first start `initdb`. */
async function createPglite(dataDir: string | null) {
  const { PGlite } = await import('@electric-sql/pglite')
  // By itself the engine makes a folder that everybody on the machine can read.
  if (dataDir !== null) await makePrivateFolder(dataDir)
  const isNew = dataDir === null || !existsSync(join(dataDir, 'PG_VERSION'))
  const loadDataDir = isNew ? await (await import('@electric-sql/pglite-prepopulatedfs')).dataDir() : undefined
  return PGlite.create({
    ...(dataDir === null ? {} : { dataDir }),
    ...(loadDataDir === undefined ? {} : { loadDataDir }),
    // The mapper reads instants as text on both databases.
    parsers: Object.fromEntries(INSTANT_TYPES.map((type) => [type, (text: string) => text])),
  })
}

/** WASI's numbers for what the file system can refuse. */
const FILE_FAULTS: Readonly<Record<number, string>> = { 2: 'EACCES', 51: 'ENOSPC', 63: 'EPERM', 69: 'EROFS' }

/** The file system inside the embedded database throws bare objects with a number. */
function throwAsError(thrown: unknown): never {
  if (typeof thrown !== 'object' || thrown === null || !('errno' in thrown) || thrown instanceof Error) throw thrown
  const code = FILE_FAULTS[Number(thrown.errno)]
  throw Object.assign(new Error(`the embedded database met file system fault ${thrown.errno}`), { code })
}

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

/** Whether the database answers at all. */
export async function answers(orm: Orm): Promise<boolean> {
  await orm.em.fork().execute('select 1')
  return true
}

/** Whether the database holds all that this version needs; a newer version may have added to it. */
export async function isMigrated(orm: Orm): Promise<boolean> {
  const rows: readonly { readonly n: unknown }[] = await orm.em
    .fork()
    .execute('select count(*) as n from mikro_orm_migrations')
  return Number(rows[0]?.n) >= MIGRATIONS.length
}
