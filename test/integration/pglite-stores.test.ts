import { migrate, type Orm, openPglite } from '#adapters/postgres/open-orm.ts'
import { openStores } from '#adapters/postgres/opening.ts'
import { sqlSeed } from '../support/databases.ts'
import { storeContracts } from '../support/store-contracts.ts'

describe('stores on the embedded database', function () {
  // Starting WebAssembly takes seconds, so every suite shares one instance; its tests use ids of their own.
  this.timeout(60_000)
  let orm: Orm
  before(async () => {
    orm = await openPglite({ dataDir: null })
    await migrate(orm)
  })
  after(() => orm.close())

  storeContracts('pglite', async () => ({ stores: openStores(orm), seed: sqlSeed(orm), close: async () => {} }))
})
