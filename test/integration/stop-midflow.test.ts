import { expect } from 'chai'
import { API } from '../http/place.ts'
import { type CuttingProxy, openCuttingProxy } from '../support/cutting-proxy.ts'
import { dropTemplate } from '../support/databases.ts'
import { openReplicas, type Replicas, replicaSuite, setUp } from '../support/replicas.ts'

const GRACE_S = 1

/** Supervisors wait a little longer than the grace time, then kill. */
replicaSuite('a replica that is told to stop while a store hangs', function () {
  this.timeout(30_000)
  let replicas: Replicas
  let proxy: CuttingProxy | null = null

  before(async () => {
    replicas = await openReplicas({ env: { SHUTDOWN_GRACE_S: String(GRACE_S) } })
  })
  afterEach(() => proxy?.cut())
  after(async () => {
    await replicas.close()
    await dropTemplate()
  })

  const hangs = [
    {
      name: 'PostgreSQL',
      variable: 'DATABASE_URL',
      url: () => replicas.databaseUrl,
      ends: { code: 1, faults: ['a store does not let go; stopped without it'] },
    },
    {
      name: 'Redis',
      variable: 'REDIS_URL',
      url: () => replicas.redisUrl,
      ends: { code: 0, faults: ['redis does not answer'] },
    },
  ]
  for (const { name, variable, url, ends } of hangs) {
    it(`L01 ${name} silent: it is gone soon after the grace time all the same`, async () => {
      proxy = await openCuttingProxy(url())
      const around = new URL(url())
      around.host = `127.0.0.1:${proxy.port}`
      const replica = await replicas.start({ [variable]: around.href })
      if ((await replica.get('/console/api/setup')).json.step !== 'finished') await setUp(replica)
      const { token } = await replica.login()
      expect((await replica.get(`${API}/workspaces`, { token })).status).to.equal(200)
      proxy.silence()
      const asking = replica.get(`${API}/account/sessions`, { token }).catch(() => null)
      const { code, tookMs } = await replica.stop('SIGTERM')
      expect(tookMs).to.be.below((GRACE_S + 5) * 1000)
      expect({ code, faults: replica.faults }).to.deep.equal(ends)
      await asking
    })
  }
})
