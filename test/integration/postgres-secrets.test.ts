import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { migrate, type Orm, openPglite, openPostgres } from '#adapters/postgres/open-orm.ts'
import { openStores } from '#adapters/postgres/opening.ts'
import { anAccount, aToken, aWorkspace, NOW_MS } from '../support/builders.ts'
import { createDatabase, dropTemplate, sqlSeed } from '../support/databases.ts'
import { suiteFor } from '../support/services.ts'

// PostgreSQL tells a broken constraint with the key, or the whole row, that broke it; faults are logged.
function quotesNothing(open: () => Promise<{ orm: Orm; close(): Promise<void> }>): void {
  let opened: Awaited<ReturnType<typeof open>>
  before(async () => {
    opened = await open()
  })
  after(() => opened.close())

  const faultOf = async (work: Promise<unknown>): Promise<Error> => {
    const thrown = await work.then(
      () => null,
      (error: unknown) => error,
    )
    if (!(thrown instanceof Error)) throw new Error('nothing was thrown')
    return thrown
  }

  it('E17 a fault of a statement names the constraint, and quotes no digest, email or row', async () => {
    const { orm } = opened
    const stores = openStores(orm)
    const account = anAccount()
    const workspace = aWorkspace()
    await sqlSeed(orm).workspace(workspace)
    await stores.accounts.add(account, workspace.id, 'normal')
    const hash = 'deadbeef'.repeat(8)
    const refresh = { hash, family: randomUUID(), accountId: account.id, expiresAtMs: NOW_MS }
    await stores.refreshTokens.insert(refresh)
    const token = aToken({ tokenHash: hash })
    await stores.tokens.mint(token)

    const faults = [
      await faultOf(stores.refreshTokens.insert(refresh)),
      await faultOf(stores.unitOfWork(() => stores.refreshTokens.insert(refresh))),
      await faultOf(stores.tokens.mint({ ...aToken(), tokenHash: hash })),
      // A whole row: null where none may be.
      await faultOf(stores.refreshTokens.insert({ ...refresh, hash: `${hash.slice(1)}0`, family: null as never })),
    ]
    for (const fault of faults) {
      const seen = inspect(fault, { depth: null, showHidden: true }) + String(fault.stack)
      for (const secret of [hash, hash.slice(1), account.id, account.email]) expect(seen).to.not.contain(secret)
      expect(fault.message).to.match(/constraint/)
      expect(fault.stack).to.contain('.ts:')
    }
  })
}

describe('what faults of the embedded database tell', function () {
  this.timeout(60_000)
  quotesNothing(async () => {
    const orm = await openPglite({ dataDir: null })
    await migrate(orm)
    return { orm, close: () => orm.close() }
  })
})

suiteFor('postgres')('what faults of PostgreSQL tell', function () {
  this.timeout(20_000)
  after(dropTemplate)
  quotesNothing(async () => {
    const database = await createDatabase()
    const orm = await openPostgres({ url: database.url })
    const close = async () => {
      await orm.close()
      await database.drop()
    }
    return { orm, close }
  })
})
