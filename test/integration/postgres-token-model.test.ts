import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { type Orm, openPostgres } from '#adapters/postgres/open-orm.ts'
import { openStores, type PostgresStores } from '#adapters/postgres/opening.ts'
import type { Subject } from '#domain/subject.ts'
import { aToken, NOW_MS } from '../support/builders.ts'
import { createDatabase, dropTemplate, type TestDatabase } from '../support/databases.ts'
import { suiteFor } from '../support/services.ts'

const CONNECTIONS = 20
const DEVICES = ['laptop', 'desktop', 'phone'] as const

/** `target` picks one of the rows or digests that are known when the batch starts. */
type Act =
  | { readonly kind: 'mint'; readonly device: string; readonly fails: boolean }
  | { readonly kind: 'revoke' | 'expire'; readonly target: number }

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record({ device: fc.constantFrom(...DEVICES), fails: fc.nat({ max: 5 }).map((one) => one === 0) })
      .map((one): Act => ({ kind: 'mint', ...one })),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({ kind: fc.constantFrom('revoke' as const, 'expire' as const), target: fc.nat() })
      .map((one): Act => one),
  },
)

/** What one run of the property has done and heard so far. */
type History = {
  readonly subject: Subject
  /** Every digest whose mint committed, with its row. */
  readonly minted: { readonly hash: string; readonly id: string; readonly device: string }[]
  /** Digests that some caller was told it had killed. */
  readonly killed: string[]
  readonly rolledBack: string[]
  revokes: number
}

suiteFor('postgres')('rotating, revoking and expiring over twenty connections', function () {
  this.timeout(120_000)
  let database: TestDatabase
  let orm: Orm
  let stores: PostgresStores
  before(async () => {
    database = await createDatabase()
    orm = await openPostgres({ url: database.url, poolMax: CONNECTIONS })
    stores = openStores(orm)
  })
  after(async () => {
    await orm.close()
    await database.drop()
    await dropTemplate()
  })

  const oops = new Error('oops')

  async function mint(history: History, device: string, fails: boolean): Promise<void> {
    const token = aToken({ subject: history.subject, deviceLabel: device })
    try {
      const { id, rotatedHash } = await stores.unitOfWork(async () => {
        const minted = await stores.tokens.mint(token)
        await stores.audit.append({ event: 'oauth.token_expired', facts: { tokenId: token.tokenHash } }, NOW_MS)
        if (fails) throw oops
        return minted
      })
      history.minted.push({ hash: token.tokenHash, id, device })
      if (rotatedHash !== null) history.killed.push(rotatedHash)
    } catch (error) {
      if (error !== oops) throw error
      history.rolledBack.push(token.tokenHash)
    }
  }

  async function end(history: History, row: History['minted'][number] | undefined, onlyHash: boolean): Promise<void> {
    if (row === undefined) return
    const dead = await stores.tokens.revoke(row.id, NOW_MS, onlyHash ? row.hash : undefined)
    if (dead === null) return
    history.killed.push(dead)
    history.revokes++
  }

  async function check({ subject, minted, killed, rolledBack, revokes }: History): Promise<void> {
    expect(new Set(killed).size, 'nobody else was told of the same death').to.equal(killed.length)
    const live = (await stores.tokens.listLive(subject, { page: 1, limit: 200 }, NOW_MS)).data
    expect(new Set(live.map(({ deviceLabel }) => deviceLabel)).size, 'one live row a device').to.equal(live.length)
    const living = new Set(live.map(({ tokenHash }) => tokenHash))
    for (const { hash } of minted) {
      expect(living.has(hash) !== killed.includes(hash), 'each digest lives, or died once').to.equal(true)
      expect((await stores.tokens.findByHash(hash)) !== null).to.equal(living.has(hash))
    }
    expect(living.size).to.equal(minted.length - killed.length)
    for (const hash of rolledBack) expect(await stores.tokens.findByHash(hash)).to.equal(null)
    // A row keeps its id until it is ended; every end, and every life that goes on, is a row of its own.
    expect(new Set(minted.map(({ id }) => id)).size).to.equal(revokes + live.length)
    const audited = await orm.em
      .fork()
      .execute<{ token: string }[]>(`select facts->>'token_id' as token from audit_events`)
    const recorded = new Set(audited.map(({ token }) => token))
    for (const { hash } of minted) expect(recorded.has(hash), 'the row of every mint that committed').to.equal(true)
    for (const hash of rolledBack) expect(recorded.has(hash), 'and of none that did not').to.equal(false)
  }

  it('E24 B20 each digest lives or died exactly once, each device has one live row, and audit rows go with their mints', async () => {
    const batches = fc.array(fc.array(act, { minLength: 2, maxLength: CONNECTIONS }), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(batches, async (all) => {
        const email = `${randomUUID()}@partner.example`
        const history: History = {
          subject: { type: 'external_sso', email, issuer: 'https://idp.example' },
          minted: [],
          killed: [],
          rolledBack: [],
          revokes: 0,
        }
        for (const batch of all) {
          const known = [...history.minted]
          await Promise.all(
            batch.map((one) =>
              one.kind === 'mint'
                ? mint(history, one.device, one.fails)
                : end(history, known[one.target % Math.max(1, known.length)], one.kind === 'expire'),
            ),
          )
          await check(history)
        }
      }),
      { numRuns: 150 },
    )
  })
})
