import { expect } from 'chai'
import { openPostgres } from '#adapters/postgres/open-orm.ts'
import { API } from '../http/place.ts'
import { createEmptyDatabase, type TestDatabase } from '../support/databases.ts'
import { openReplicas, type Replicas, replicaSuite, setUp } from '../support/replicas.ts'

const STARTERS = 10

replicaSuite('ten replicas that start at once on an empty database', function () {
  this.timeout(90_000)
  let database: TestDatabase
  let replicas: Replicas
  before(async () => {
    database = await createEmptyDatabase()
    replicas = await openReplicas({ databaseUrl: database.url })
  })
  after(async () => {
    await replicas.close()
    await database.drop()
  })

  it('L03 one of them migrates, each migration once, and all ten serve', async () => {
    const started = await Promise.all(Array.from({ length: STARTERS }, () => replicas.start()))
    const orm = await openPostgres({ url: database.url })
    const applied = await orm.em
      .fork()
      .execute<{ name: string; times: number }[]>(
        'select name, count(*)::int as times from mikro_orm_migrations group by name',
      )
    await orm.close()
    expect(applied.length).to.be.above(0)
    expect(applied.filter(({ times }) => times !== 1)).to.deep.equal([])

    const [first] = started
    if (first === undefined) throw new Error('nobody started')
    await setUp(first)
    const { token } = await first.login()
    const replies = await Promise.all(started.map((replica) => replica.get(`${API}/account/sessions`, { token })))
    expect(replies.map(({ status }) => status)).to.deep.equal(started.map(() => 200))
    expect(started.flatMap(({ faults }) => faults)).to.deep.equal([])
  })
})
