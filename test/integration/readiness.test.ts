import { expect } from 'chai'
import { answers, isMigrated, migrate, openPglite, openPostgres } from '#adapters/postgres/open-orm.ts'
import { openRedis, pingRedis } from '#adapters/redis/open-redis.ts'
import { createDatabase, dropTemplate } from '../support/databases.ts'
import { openTestRedis } from '../support/redis.ts'
import { suiteFor } from '../support/services.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }
/** Nobody listens there. */
const NOWHERE = '127.0.0.1:1'

const outcome = (asked: Promise<boolean>) => asked.catch(() => 'refused')

suiteFor('postgres')('what readiness asks', function () {
  this.timeout(20_000)
  after(dropTemplate)

  it('a PostgreSQL answers, and is migrated once it holds every migration', async () => {
    const database = await createDatabase()
    const orm = await openPostgres({ url: database.url })
    try {
      expect([await answers(orm), await isMigrated(orm)]).to.deep.equal([true, true])
      await orm.em
        .fork()
        .execute('delete from mikro_orm_migrations where id = (select max(id) from mikro_orm_migrations)')
      expect([await answers(orm), await isMigrated(orm)]).to.deep.equal([true, false])
      expect(orm.pool?.()).to.include({ waiting: 0, max: 10 })
      expect(orm.pool?.().size).to.be.at.least(1)
    } finally {
      await orm.close()
      await database.drop()
    }
  })

  it('the embedded database answers, and is migrated only after it was', async () => {
    const orm = await openPglite({ dataDir: null })
    try {
      expect([await outcome(answers(orm)), await outcome(isMigrated(orm))]).to.deep.equal([true, 'refused'])
      await migrate(orm)
      expect(await isMigrated(orm)).to.equal(true)
      expect(orm.pool).to.equal(null)
    } finally {
      await orm.close()
    }
  })

  it('a store that is away passes no check, and says so in the metrics', async () => {
    const orm = await openPostgres({ url: `postgres://nobody@${NOWHERE}/none` })
    const away = openRedis({ url: `redis://${NOWHERE}`, keyPrefix: 'x', log: silent })
    const { redis, close } = await openTestRedis()
    try {
      expect(await outcome(answers(orm))).to.equal('refused')
      expect(await outcome(pingRedis(away))).to.equal('refused')
      expect(await pingRedis(redis)).to.equal(true)
      await away.ask((commands) => commands.get('a')).catch(() => {})
      await redis.ask((commands) => commands.get('a'))
      expect(away.state()).to.deep.equal({ isUp: false, asked: 1, failed: 1 })
      expect(redis.state()).to.include({ isUp: true, failed: 0 })
    } finally {
      await away.quit()
      await close()
      await orm.close()
    }
  })
})
