import { expect } from 'chai'
import sinon from 'sinon'
import { type Orm, openPostgres } from '#adapters/postgres/open-orm.ts'
import { openStores, type PostgresStores } from '#adapters/postgres/opening.ts'
import { anApp, aToken, aWorkspace } from '../support/builders.ts'
import { createDatabase, dropTemplate, sqlSeed, type TestDatabase } from '../support/databases.ts'
import { suiteFor } from '../support/services.ts'

suiteFor('postgres')('what the stores ask of PostgreSQL', function () {
  this.timeout(20_000)
  let database: TestDatabase
  let orm: Orm
  let stores: PostgresStores
  let statements: string[]
  before(async () => {
    database = await createDatabase()
    orm = await openPostgres({ url: database.url })
    stores = openStores(orm)
  })
  beforeEach(() => {
    statements = []
    const connection = orm.em.getConnection()
    const execute = connection.execute.bind(connection)
    sinon.stub(connection, 'execute').callsFake((...args) => {
      statements.push(String(args[0]))
      return execute(...args)
    })
  })
  afterEach(() => sinon.restore())
  after(async () => {
    await orm.close()
    await database.drop()
    await dropTemplate()
  })

  it('B15 a token is resolved by one statement', async () => {
    const token = aToken()
    await stores.tokens.mint(token)
    statements.length = 0
    await stores.tokens.findByHash(token.tokenHash)
    expect(statements).to.have.length(1)
  })

  it('E24 a mint is one statement', async () => {
    await stores.tokens.mint(aToken())
    expect(statements).to.have.length(1)
    expect(statements[0]).to.contain('on conflict')
  })

  it('G15 an empty page looks no workspace up; a full one costs two statements whatever its length', async () => {
    const workspace = aWorkspace()
    await sqlSeed(orm).workspace(workspace)
    statements.length = 0
    await stores.apps.search({ workspaceId: workspace.id, page: 1, limit: 20 })
    expect(statements.filter((statement) => statement.includes('tenants'))).to.deep.equal([])
    for (let at = 0; at < 5; at++) await stores.apps.add(anApp({ workspaceId: workspace.id }))
    statements.length = 0
    const page = await stores.apps.search({ workspaceId: workspace.id, page: 1, limit: 20 })
    expect(page.data).to.have.length(5)
    expect(statements).to.have.length(2)
  })
})
