import { expect } from 'chai'
import { type Orm, openPostgres } from '#adapters/postgres/open-orm.ts'
import { createDatabase, dropTemplate, type TestDatabase } from '../support/databases.ts'
import { suiteFor } from '../support/services.ts'

const uuid = (text: string) => `md5('${text}')::uuid`
const row = (name: string, workspace: number, mode = 'chat', access = 'null') =>
  `(${uuid(name)}, ${uuid(String(workspace))}, '${name}', '${mode}', ${access}, now(), now())`
const adding = (...rows: readonly string[]) =>
  `insert into apps (id, tenant_id, name, mode, access_mode, created_at, updated_at) values ${rows.join(', ')}`

/** What lists say is kept ready; what there is, is counted. Both must always be the same. */
const DIFFERENCE = `select * from (
    select tenant_id, mode, coalesce(access_mode, '') as access_mode, count(*)::int as apps from apps
      where status = 'normal' and enable_api group by 1, 2, 3
  ) counted full join (select * from app_totals where apps <> 0) held using (tenant_id, mode, access_mode, apps)
  where (counted.*) is null or (held.*) is null`

suiteFor('postgres')('totals of apps on PostgreSQL', function () {
  this.timeout(20_000)
  let database: TestDatabase
  let orm: Orm
  beforeEach(async () => {
    database = await createDatabase()
    orm = await openPostgres({ url: database.url, poolMax: 8 })
    await run(`insert into tenants (id, name, created_at)
      select md5(n::text)::uuid, 'Workspace', now() from generate_series(1, 2) n`)
  })
  afterEach(async () => {
    await orm.close()
    await database.drop()
  })
  after(dropTemplate)

  const run = (statement: string) => orm.em.fork().execute<object[]>(statement)
  async function expectAgreement(total: number): Promise<void> {
    expect(await run(DIFFERENCE)).to.deep.equal([])
    const [sum] = await orm.em.fork().execute<{ total: number }[]>('select sum(apps)::int as total from app_totals')
    expect(sum?.total ?? 0).to.equal(total)
  }

  it('follow what is added, changed, moved, taken off and deleted', async () => {
    await run(adding(row('a', 1)))
    await run(adding(row('b', 1, 'workflow', `'public'`), row('c', 2)))
    await expectAgreement(3)
    await run(`update apps set access_mode = 'private', updated_at = now()`)
    await expectAgreement(3)
    await run(`update apps set mode = 'completion', tenant_id = ${uuid('2')} where name = 'a'`)
    await expectAgreement(3)
    await run(`update apps set enable_api = false where name = 'a'`)
    await run(`update apps set status = 'archived' where name = 'b'`)
    await expectAgreement(1)
    await run(`update apps set status = 'normal', enable_api = true`)
    await run(`delete from apps where name = 'c'`)
    await expectAgreement(2)
  })

  it('a change that is not counted writes none', async () => {
    await run(adding(row('a', 1)))
    const version = () => run('select xmin::text from app_totals')
    const before = await version()
    await run(`update apps set name = 'b', updated_at = now()`)
    expect(await version()).to.deep.equal(before)
  })

  it('nothing of a rolled back change stays', async () => {
    await run(adding(row('a', 1)))
    await orm.em
      .fork()
      .transactional(async (em) => {
        await em.execute(adding(row('b', 1)))
        throw new Error('never mind')
      })
      .catch(() => {})
    await expectAgreement(1)
  })

  it('many who change at once leave totals of what there is', async () => {
    const changes = Array.from({ length: 60 }, (_, at) => [
      () => run(adding(row(`x${at}`, 1 + (at % 2)))),
      () => run(`update apps set enable_api = not enable_api where name like 'x%${at % 10}'`),
      () => run(`delete from apps where name = 'x${at - 20}'`),
    ]).flat()
    // Rows of `apps` may be locked in any order by such updates, which is PostgreSQL's to settle.
    const outcomes = await Promise.allSettled(changes.map((change) => change()))
    const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))
    expect(refused.filter((reason) => !reason.includes('deadlock'))).to.deep.equal([])
    expect(await run(DIFFERENCE)).to.deep.equal([])
  })

  it('a workspace that is deleted takes its totals with it', async () => {
    await run(adding(row('a', 1)))
    await run(adding(row('b', 2)))
    await run(`delete from tenants where id = ${uuid('1')}`)
    await expectAgreement(1)
    expect(await run('select 1 from app_totals')).to.have.length(1)
  })
})
