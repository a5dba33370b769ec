import { openPostgres } from '#adapters/postgres/open-orm.ts'
import { openStores } from '#adapters/postgres/opening.ts'
import { createDatabase, dropTemplate, sqlSeed } from '../support/databases.ts'
import { suiteFor } from '../support/services.ts'
import { storeContracts } from '../support/store-contracts.ts'

suiteFor('postgres')('stores on PostgreSQL', function () {
  this.timeout(20_000)
  after(dropTemplate)

  storeContracts('postgres', async () => {
    const database = await createDatabase()
    const orm = await openPostgres({ url: database.url })
    const close = async () => {
      await orm.close()
      await database.drop()
    }
    return { stores: openStores(orm), seed: sqlSeed(orm), close }
  })
})
