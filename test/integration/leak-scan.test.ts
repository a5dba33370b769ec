import { expect } from 'chai'
import { openPostgres } from '#adapters/postgres/open-orm.ts'
import { aPlace, type Place } from '../http/place.ts'
import { dropTemplate } from '../support/databases.ts'
import { openReplicas, type Replicas, replicaSuite, setUp } from '../support/replicas.ts'

const endOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing found',
    (error: Error) => error.message,
  )

// Every suite on services, and every server process, ends with this search; here it is seen to fail.
replicaSuite('a secret that was handed out and kept in the clear', function () {
  this.timeout(60_000)
  after(dropTemplate)

  const inWorld: Readonly<Record<string, (place: Place, token: string) => Promise<unknown>>> = {
    'a row': async ({ services }, token) =>
      services?.orm.em.fork().execute('update accounts set name = ?', [`x${token}`]),
    'a value in Redis': async ({ services }, token) => services?.redis.client.set(`${services.prefix}planted`, token),
    'a key in Redis': async ({ services }, token) => services?.redis.client.set(`${services.prefix}${token}`, '1'),
    'a stream in Redis': async ({ services }, token) =>
      services?.redis.client.xadd(`${services.prefix}stream`, '*', 'field', Buffer.from(token).toString('base64')),
  }
  for (const [where, plant] of Object.entries(inWorld)) {
    it(`E17 in ${where} fails the suite it was handed out in, and is not repeated`, async () => {
      const place = await aPlace({ on: 'services' })
      const { token } = await place.login()
      await plant(place, token)
      const end = await endOf(place.close())
      expect(end).to.contain(`bearer ${token.slice(0, 6)}…`)
      expect(end).to.not.contain(token)
    })
  }

  it('E17 in the database of server processes fails their suite', async () => {
    const replicas: Replicas = await openReplicas()
    const replica = await replicas.start()
    await setUp(replica)
    const { deviceCode } = await replica.login()
    const orm = await openPostgres({ url: replicas.databaseUrl })
    await orm.em.fork().execute('update accounts set name = ?', [deviceCode])
    await orm.close()
    expect(await endOf(replicas.close())).to.contain('E17 1 secrets in the database: device code dc_')
  })

  it('E17 in a line of a server process fails its suite', async () => {
    const replicas: Replicas = await openReplicas()
    const replica = await replicas.start()
    await setUp(replica)
    const { cookie } = await replica.signIn()
    replica.lines.push(/refresh_token=([^;]+)/.exec(cookie)?.[1] ?? '')
    expect(await endOf(replica.stop())).to.contain('E17 1 secrets in the log: refresh_token cookie')
    await replicas.close()
  })
})
