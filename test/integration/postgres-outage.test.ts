import { createServer } from 'node:net'
import { expect } from 'chai'
import { migrate, type Orm, openPglite, openPostgres } from '#adapters/postgres/open-orm.ts'
import { openStores, type PostgresStores } from '#adapters/postgres/opening.ts'
import { DomainError } from '#domain/errors.ts'
import { anApp, aToken, aWorkspace } from '../support/builders.ts'
import { openCuttingProxy } from '../support/cutting-proxy.ts'
import { createDatabase, dropTemplate, type TestDatabase } from '../support/databases.ts'
import { suiteFor } from '../support/services.ts'

async function refusal(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work
  } catch (error) {
    return error
  }
}

function expectUnavailable(error: unknown): void {
  expect(error).to.be.instanceOf(DomainError).and.to.have.property('code', 'service_unavailable')
  expect((error as DomainError).cause).to.be.instanceOf(Error) // the driver's own words stay for the log
}

describe('a database that is away', function () {
  this.timeout(20_000)

  it('a refused connection is service_unavailable, in a store and at the start of a unit of work', async () => {
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const address = closed.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    await new Promise((resolve) => closed.close(resolve))
    const orm = await openPostgres({ url: `postgres://nobody@127.0.0.1:${port}/nothing` })
    const { tokens, unitOfWork, apps } = openStores(orm)
    expectUnavailable(await refusal(tokens.findByHash('x')))
    expectUnavailable(await refusal(unitOfWork(async () => 'never')))
    expectUnavailable(await refusal(apps.search({ workspaceId: aWorkspace().id, page: 1, limit: 1 })))
    await orm.close()
  })

  it('a closed embedded database is service_unavailable', async () => {
    const orm = await openPglite({ dataDir: null })
    await migrate(orm)
    const { tokens } = openStores(orm)
    await tokens.findByHash('x')
    await orm.close()
    expectUnavailable(await refusal(tokens.findByHash('x')))
  })
})

suiteFor('postgres')('a PostgreSQL that fails under way', function () {
  this.timeout(20_000)
  let database: TestDatabase
  let orm: Orm
  let stores: PostgresStores
  before(async () => {
    database = await createDatabase()
    orm = await openPostgres({ url: database.url, poolMax: 2 })
    stores = openStores(orm)
  })
  after(async () => {
    await orm.close()
    await database.drop()
    await dropTemplate()
  })

  it('a statement over its time limit is cut, undone and service_unavailable; the pool recovers', async () => {
    const held = aToken()
    await stores.tokens.mint(held)
    const blocker = orm.em.fork()
    await blocker.begin()
    await blocker.execute('select 1 from oauth_access_tokens where id = ? for update', [held.id])
    const cut = stores.unitOfWork(() => stores.tokens.revoke(held.id, 0), { timeoutMs: 100 })
    expectUnavailable(await refusal(cut))
    await blocker.rollback()
    expect(await stores.tokens.revoke(held.id, 0)).to.equal(held.tokenHash)
  })

  it('the limit ends with its unit of work', async () => {
    await stores.unitOfWork(() => stores.tokens.findByHash('x'), { timeoutMs: 100 })
    const shown = await orm.em.fork().execute<{ statement_timeout: string }[]>('show statement_timeout')
    expect(shown[0]?.statement_timeout).to.equal('0')
  })

  // Five losses on a pool of two: a place that is not given back would leave nobody a connection.
  it('connections killed inside a unit of work are service_unavailable, and the pool keeps its size', async () => {
    for (let loss = 0; loss < 5; loss++) {
      const failed = await refusal(
        stores.unitOfWork(async () => {
          await stores.tokens.findByHash('x')
          await orm.em.fork().execute(
            `select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()`,
          )
          return stores.tokens.findByHash('x')
        }),
      )
      expectUnavailable(failed)
    }
    expect(await stores.tokens.findByHash('x')).to.equal(null)
    expect(await stores.unitOfWork(async () => 'works')).to.equal('works')
  })

  it('what work throws reaches the caller as it is', async () => {
    const refused = new DomainError('state_lost', {})
    const thrown = await refusal(
      stores.unitOfWork(async () => {
        throw refused
      }),
    )
    expect(thrown).to.equal(refused)
  })

  it('a fault of ours stays a fault: a broken constraint is not service_unavailable', async () => {
    const error = await refusal(stores.apps.add(anApp({ workspaceId: aWorkspace().id })))
    expect(error).to.be.instanceOf(Error).and.not.instanceOf(DomainError)
  })

  it('a query that the server never answers is given up, and the store works again once the server does', async () => {
    const proxy = await openCuttingProxy(database.url)
    const url = new URL(database.url)
    url.port = String(proxy.port)
    const through = await openPostgres({ url: url.href, poolMax: 2, queryTimeoutMs: 300 })
    const { tokens } = openStores(through)
    expect(await tokens.findByHash('x')).to.equal(null)
    const held = proxy.hold('oauth_access_tokens')
    expectUnavailable(await refusal(tokens.findByHash('x')))
    held.release()
    expect(await tokens.findByHash('x')).to.equal(null)
    await through.close()
    await proxy.cut()
  })
})
