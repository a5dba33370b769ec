import { randomUUID } from 'node:crypto'
import { migrate, type Orm, openPostgres } from '#adapters/postgres/open-orm.ts'
import { instant } from '#adapters/postgres/sql.ts'
import type { Seed } from './seed.ts'
import { services } from './services.ts'

/** A database of a test's own. */
export type TestDatabase = { readonly url: string; drop(): Promise<void> }

let template: Promise<string> | null = null

/** A fresh, migrated database, copied from a template that this process makes once. */
export async function createDatabase(): Promise<TestDatabase> {
  template ??= createTemplate()
  return create(`template "${await template}"`)
}

/** A fresh database without tables. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return create('')
}

/** Drops the template; the last thing a suite that used `createDatabase` does. */
export async function dropTemplate(): Promise<void> {
  if (template === null) return
  const name = await template
  template = null
  await asAdmin((admin) => admin.em.execute(`drop database if exists "${name}"`))
}

async function createTemplate(): Promise<string> {
  const { url } = await createEmptyDatabase()
  const orm = await openPostgres({ url })
  await migrate(orm)
  await orm.close()
  return new URL(url).pathname.slice(1)
}

async function create(from: string): Promise<TestDatabase> {
  const name = `latchkey_test_${process.pid}_${randomUUID().slice(0, 8)}`
  await asAdmin((admin) => admin.em.execute(`create database "${name}" ${from}`))
  const url = new URL(adminUrl())
  url.pathname = `/${name}`
  return {
    url: url.href,
    drop: () => asAdmin((admin) => admin.em.execute(`drop database if exists "${name}" with (force)`)).then(() => {}),
  }
}

async function asAdmin<R>(work: (admin: Orm) => Promise<R>): Promise<R> {
  const admin = await openPostgres({ url: adminUrl() })
  try {
    return await work(admin)
  } finally {
    await admin.close()
  }
}

function adminUrl(): string {
  if (services.postgres === null) throw new Error('no PostgreSQL: the suite should have been skipped')
  return services.postgres
}

/** Rows that no port writes yet, put straight into the tables. */
export function sqlSeed(orm: Orm): Seed {
  const run = (statement: string, parameters: (string | boolean)[]) => orm.em.fork().execute(statement, parameters)
  return {
    async workspace(workspace, status = 'normal') {
      await run('insert into tenants (id, name, status, created_at) values (?, ?, ?, ?)', [
        workspace.id,
        workspace.name,
        status,
        instant(workspace.createdAtMs),
      ])
    },
    async member(accountId, workspaceId, role) {
      await run('insert into tenant_account_joins (account_id, tenant_id, role, created_at) values (?, ?, ?, now())', [
        accountId,
        workspaceId,
        role,
      ])
    },
    async tag(workspaceId, appId, name) {
      await run(
        `with tag as (
            insert into tags (id, tenant_id, name, created_at) values (?, ?, ?, now())
            on conflict (tenant_id, type, name) do update set name = excluded.name returning id
          )
          insert into tag_bindings (tag_id, target_id, created_at) select tag.id, ?::uuid, now() from tag`,
        [randomUUID(), workspaceId, name, appId],
      )
    },
    async alterApp(appId, { status, apiEnabled }) {
      await run('update apps set status = ?, enable_api = ? where id = ?', [status, apiEnabled, appId])
    },
    async auditRows() {
      const rows = await orm.em
        .fork()
        .execute<{ event: string; facts: Record<string, unknown> }[]>(
          'select event, facts from audit_events order by id',
        )
      return rows.map(({ event, facts }) => ({ event, text: JSON.stringify(facts) }))
    },
  }
}
