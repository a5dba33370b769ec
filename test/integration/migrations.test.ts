import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { migrate, type Orm, openPglite, openPostgres } from '#adapters/postgres/open-orm.ts'
import { openStores } from '#adapters/postgres/opening.ts'
import { NOW_MS } from '../support/builders.ts'
import { createEmptyDatabase, type TestDatabase } from '../support/databases.ts'
import { suiteFor } from '../support/services.ts'

const run = promisify(execFile)
const MIGRATE_ONCE = fileURLToPath(new URL('../support/migrate-once.ts', import.meta.url))

const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url))
/** A file that nobody listed for the migrator is missed by what follows. */
const FILES = readdirSync(FOLDER).toSorted()
const MIGRATION_NAMES = FILES.map((file) => file.replace('.ts', ''))
const TABLES = FILES.flatMap((file) =>
  [...readFileSync(join(FOLDER, file), 'utf8').matchAll(/create table (\w+)/g)].map(([, name]) => name),
).toSorted()

const PARTIAL_INDEXES = [
  'idx_oauth_account',
  'idx_oauth_client',
  'idx_oauth_subject_email',
  'idx_oauth_token_hash',
  'uq_oauth_active_per_device',
]

async function names(orm: Orm, statement: string): Promise<string[]> {
  const rows = await orm.em.fork().execute<{ name: string }[]>(statement)
  return rows.map(({ name }) => name)
}

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'accepted'
  } catch (error) {
    return String(error)
  }
}

/** What both databases owe after a migration. */
function migratedDatabase(orm: () => Orm): void {
  it('L03 an empty database gets every table, a current one nothing', async () => {
    await migrate(orm())
    await migrate(orm())
    const tables = await names(
      orm(),
      `select table_name as name from information_schema.tables
        where table_schema = 'public' and table_name <> 'mikro_orm_migrations' order by 1`,
    )
    expect(tables).to.deep.equal(TABLES)
    expect(await names(orm(), 'select name from mikro_orm_migrations')).to.deep.equal(MIGRATION_NAMES)
  })

  it('the indexes of live tokens cover live rows only', async () => {
    const indexes = await names(
      orm(),
      `select indexname as name from pg_indexes where tablename = 'oauth_access_tokens'
        and indexdef like '%WHERE (revoked_at IS NULL)' and indexname <> 'idx_oauth_expires_at' order by 1`,
    )
    expect(indexes).to.deep.equal(PARTIAL_INDEXES)
  })

  // Whoever gets hold of the database connection must not be able to wipe their traces.
  it('M08 audit rows can be neither changed nor deleted nor truncated', async () => {
    const { audit } = openStores(orm())
    await audit.append({ event: 'oauth.token_expired', facts: { tokenId: 'kept' } }, NOW_MS)
    const tampering = [
      `update audit_events set event = 'x'`,
      'delete from audit_events',
      'delete from audit_events where id < 0',
      'truncate audit_events',
    ]
    for (const statement of tampering) {
      expect(await refusal(orm().em.fork().execute(statement)), statement).to.contain('append-only')
    }
    expect(await names(orm(), `select facts->>'token_id' as name from audit_events`)).to.deep.equal(['kept'])
  })
}

describe('migrations on the embedded database', function () {
  this.timeout(60_000)
  let orm: Orm
  before(async () => {
    orm = await openPglite({ dataDir: null })
  })
  after(() => orm.close())
  migratedDatabase(() => orm)
})

suiteFor('postgres')('migrations on PostgreSQL', function () {
  this.timeout(120_000)
  let database: TestDatabase
  let orm: Orm
  before(async () => {
    database = await createEmptyDatabase()
    orm = await openPostgres({ url: database.url })
  })
  after(async () => {
    await orm.close()
    await database.drop()
  })
  migratedDatabase(() => orm)

  it('L03 ten processes migrate one empty database at once, and all succeed', async () => {
    const empty = await createEmptyDatabase()
    const starts = Array.from({ length: 10 }, () => run(process.execPath, [MIGRATE_ONCE, empty.url]))
    const ends = await Promise.allSettled(starts)
    expect(ends.filter(({ status }) => status === 'rejected')).to.deep.equal([])
    const migrated = await openPostgres({ url: empty.url })
    expect(await names(migrated, 'select name from mikro_orm_migrations')).to.deep.equal(MIGRATION_NAMES)
    await migrated.close()
    await empty.drop()
  })

  it('L03 a migration that fails leaves nothing behind', async () => {
    const empty = await createEmptyDatabase()
    const broken = await openPostgres({ url: empty.url })
    // The last table of the list is taken, so the migration gets as far as it can before it fails.
    await broken.em.fork().execute('create table audit_events (id integer)')
    expect(await refusal(migrate(broken))).to.contain('audit_events')
    const left = `select table_name as name from information_schema.tables where table_schema = 'public'
      and table_name <> 'mikro_orm_migrations'`
    expect(await names(broken, left)).to.deep.equal(['audit_events'])
    await broken.close()
    await empty.drop()
  })
})
