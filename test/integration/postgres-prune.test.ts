import { expect } from 'chai'
import { type Orm, openPostgres } from '#adapters/postgres/open-orm.ts'
import { openStores } from '#adapters/postgres/opening.ts'
import { instant } from '#adapters/postgres/sql.ts'
import { PRUNE_BATCH } from '#adapters/postgres/token-pruner.ts'
import { NOW_MS } from '../support/builders.ts'
import { createDatabase, dropTemplate, type TestDatabase } from '../support/databases.ts'
import { suiteFor } from '../support/services.ts'

const ROWS = 2 * PRUNE_BATCH + 1

suiteFor('postgres')('pruning on PostgreSQL', function () {
  this.timeout(20_000)
  let database: TestDatabase
  let replicas: readonly Orm[]
  beforeEach(async () => {
    database = await createDatabase()
    replicas = await Promise.all([1, 2].map(() => openPostgres({ url: database.url, poolMax: 2 })))
    await seed(ROWS)
  })
  afterEach(async () => {
    for (const orm of replicas) await orm.close()
    await database.drop()
  })
  after(dropTemplate)

  const [one, other] = [() => replicaAt(0), () => replicaAt(1)]
  function replicaAt(index: number): Orm {
    const orm = replicas[index]
    if (orm === undefined) throw new Error('not opened')
    return orm
  }
  async function seed(count: number): Promise<void> {
    await one()
      .em.fork()
      .execute(
        `insert into oauth_access_tokens (id, subject_email, subject_issuer, client_id, device_label, prefix, token_hash,
            created_at, expires_at)
          select gen_random_uuid(), 'p' || at, 'https://idp.example', 'difyctl', 'laptop', 'dfoe_', md5(at::text), ?, ?
          from generate_series(1, ?) as at`,
        [instant(NOW_MS), instant(NOW_MS), count],
      )
  }
  async function isPruning(): Promise<boolean> {
    const locks = await one()
      .em.fork()
      .execute(
        `select 1 from pg_locks where locktype = 'advisory' and granted
            and database = (select oid from pg_database where datname = current_database())`,
      )
    return locks.length > 0
  }
  async function rowsLeft(): Promise<number> {
    const [row] = await other()
      .em.fork()
      .execute<{ left: number }[]>('select count(*)::int as left from oauth_access_tokens')
    return row?.left ?? -1
  }

  it('L04 of two replicas that prune at once one does, and the other says that it did not', async () => {
    const holder = one().em.fork()
    await holder.begin()
    await holder.execute('lock table oauth_access_tokens in exclusive mode')
    const first = openStores(other()).pruneTokens(NOW_MS + 1)
    while (!(await isPruning())) await new Promise((resume) => setImmediate(resume))
    expect(await openStores(one()).pruneTokens(NOW_MS + 1)).to.equal(null)
    await holder.rollback()
    expect(await first).to.deep.equal({ revoked: 0, expired: ROWS })
    expect(await rowsLeft()).to.equal(0)
    // The lock ends with the run.
    expect(await openStores(other()).pruneTokens(NOW_MS + 1)).to.deep.equal({ revoked: 0, expired: 0 })
  })

  it('L04 works in batches that stand by themselves: a stop between two keeps what the first deleted', async () => {
    const stopping = new AbortController()
    let asked = 0
    // Looked at before each batch; the second look is after the first batch of expired rows.
    const signal = new Proxy(stopping.signal, {
      get: (target, name) => (name === 'aborted' ? ++asked > 2 : Reflect.get(target, name)),
    })
    expect(await openStores(one()).pruneTokens(NOW_MS + 1, signal)).to.deep.equal({ revoked: 0, expired: PRUNE_BATCH })
    expect(await rowsLeft()).to.equal(ROWS - PRUNE_BATCH)
  })

  it('L04 a batch is committed while the run goes on', async () => {
    const seen: number[] = []
    const stopping = new AbortController()
    const looks: Promise<unknown>[] = []
    const signal = new Proxy(stopping.signal, {
      get: (target, name) => {
        if (name === 'aborted') looks.push(rowsLeft().then((left) => seen.push(left)))
        return name === 'aborted' ? looks.length > 3 : Reflect.get(target, name)
      },
    })
    const pruned = await openStores(one()).pruneTokens(NOW_MS + 1, signal)
    await Promise.all(looks)
    expect(pruned?.expired).to.equal(2 * PRUNE_BATCH)
    expect(seen.some((left) => left < ROWS)).to.equal(true)
  })

  it('L04 rows that somebody holds are left for the next day, and nobody waits', async () => {
    const holder = one().em.fork()
    await holder.begin()
    await holder.execute("select 1 from oauth_access_tokens where subject_email = 'p1' for update")
    expect(await openStores(other()).pruneTokens(NOW_MS + 1)).to.deep.equal({ revoked: 0, expired: ROWS - 1 })
    await holder.rollback()
    expect(await rowsLeft()).to.equal(1)
  })
})
