import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DataDirLocked } from '#adapters/postgres/data-lock.ts'
import { isMigrated, type Orm } from '#adapters/postgres/open-orm.ts'
import type { Config } from '../config.ts'
import { clockFinding } from './clock-skew.ts'
import { type Finding, fail, ok, reasonOf, warn } from './finding.ts'

const OLDEST = 140_000

/** What was opened, and what was seen on the way; `orm` is null when nothing more can be asked. */
export type OpenedDatabase = { readonly orm: Orm | null; readonly findings: readonly Finding[] }

/** Opens the configured database without changing it: no table and no folder is made. */
export async function openForLook(config: Config, open: () => Promise<Orm>): Promise<OpenedDatabase> {
  const isNew = config.databaseUrl === null && !existsSync(join(config.dataDir, 'pgdata'))
  if (isNew) return { orm: null, findings: [ok('database', 'embedded, not there yet: the first start makes it')] }
  try {
    const orm = await open()
    await orm.em.fork().execute('select 1')
    return { orm, findings: [] }
  } catch (error) {
    if (error instanceof DataDirLocked) {
      const what = `embedded, in use by process ${error.pid}; what is in it was not looked at`
      return { orm: null, findings: [ok('database', what)] }
    }
    return {
      orm: null,
      findings: [
        fail('database', reasonOf(error, passwordsOf(config)), 'check DATABASE_URL and the database’s own log'),
      ],
    }
  }
}

function passwordsOf({ databaseUrl }: Config): readonly string[] {
  if (databaseUrl === null || !URL.canParse(databaseUrl)) return []
  const { password } = new URL(databaseUrl)
  return password === '' ? [] : [password, decodeURIComponent(password)]
}

/** Version, tables and clock of a database that answers. */
export async function checkDatabase(orm: Orm, now: () => number): Promise<readonly Finding[]> {
  const beforeMs = now()
  const [row] = await orm.em
    .fork()
    .execute<{ at: unknown; version: string; name: string }[]>(
      "select extract(epoch from clock_timestamp()) * 1000 as at, current_setting('server_version_num') as version, current_setting('server_version') as name",
    )
  const afterMs = now()
  return [
    Number(row?.version) >= OLDEST
      ? ok('database', `PostgreSQL ${row?.name} answers${orm.shared ? '' : ' (embedded)'}`)
      : fail('database', `PostgreSQL ${row?.name} is too old`, 'use PostgreSQL 14 or later'),
    await checkTables(orm),
    clockFinding('database', Number(row?.at), beforeMs, afterMs),
  ]
}

async function checkTables(orm: Orm): Promise<Finding> {
  const fix = 'run `latchkey migrate`, or start a server: it does so itself'
  try {
    if (await isMigrated(orm)) return ok('migrations', 'the tables are up to date')
    return warn('migrations', 'the tables are of an older version', fix)
  } catch (error) {
    const isEmpty = error instanceof Error && /does not exist/.test(error.message)
    return isEmpty ? warn('migrations', 'there are no tables yet', fix) : fail('migrations', reasonOf(error), fix)
  }
}
