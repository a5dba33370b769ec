import { createMemoryDatabase } from '#adapters/memory/database.ts'
import { openMemoryStores } from '#adapters/memory/stores.ts'
import { memorySeed } from '../support/seed.ts'
import { storeContracts } from '../support/store-contracts.ts'

storeContracts('memory', async () => {
  const database = createMemoryDatabase()
  return { stores: openMemoryStores(database), seed: memorySeed(database), close: async () => {} }
})
