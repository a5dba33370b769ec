import { expect } from 'chai'
import { API } from '../http/place.ts'
import { dropTemplate } from '../support/databases.ts'
import { clusterSuite, startCluster, type TestCluster } from '../support/redis-cluster.ts'
import { openReplicas, type Replica, type Replicas, setUp } from '../support/replicas.ts'
import { services } from '../support/services.ts'
import type { Browser } from '../support/world.ts'

const FLOWS = 12
const RECOVERY_MS = 20_000

;(services.postgres === null ? describe.skip : clusterSuite())('a master of a Redis Cluster that dies', function () {
  this.timeout(90_000)
  let cluster: TestCluster
  let replicas: Replicas
  let replica: Replica
  let browser: Browser
  before(async () => {
    cluster = await startCluster()
    replicas = await openReplicas({ redisUrl: cluster.url })
    replica = await replicas.start()
    await setUp(replica)
    browser = await replica.signIn()
  })
  after(async () => {
    await replicas?.close()
    await cluster.close()
    await dropTemplate()
  })

  const poll = (deviceCode: string) =>
    replica.post(`${API}/oauth/device/token`, { json: { device_code: deviceCode, client_id: 'difyctl' } })

  /** Asks again while a store is away, as terminals do. */
  async function pollUntilTold(deviceCode: string) {
    const untilMs = Date.now() + RECOVERY_MS
    for (;;) {
      const reply = await poll(deviceCode)
      if (reply.status !== 503) return reply
      if (Date.now() > untilMs) throw new Error('the server does not find the copy')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  it('B26 flows go on at its copy, each redeemed once, bearers are answered meanwhile, and a revoke stays', async () => {
    const copy = await cluster.copy(0)
    const [held, revoked] = [await replica.login({ browser }), await replica.login({ label: 'revoked', browser })]
    const ask = async (token: string) => (await replica.get(`${API}/workspaces`, { token })).status
    expect(await ask(revoked.token)).to.equal(200)
    // Their keys fall on all three masters.
    const flows = await Promise.all(Array.from({ length: FLOWS }, (_, at) => replica.startFlow(`flow ${at}`)))
    for (const { userCode } of flows) {
      const json = { user_code: userCode }
      expect((await replica.post(`${API}/oauth/device/approve`, { json, headers: browser.headers })).status).to.equal(
        200,
      )
    }
    expect((await replica.delete(`${API}/account/sessions/self`, { token: revoked.token })).status).to.equal(200)
    await copy.takeOver()
    expect(await ask(held.token)).to.equal(200)
    for (const { deviceCode } of flows) {
      const replies = await Promise.all([pollUntilTold(deviceCode), pollUntilTold(deviceCode)])
      expect(replies.map(({ status }) => status).toSorted()).to.deep.equal([200, 400])
    }
    expect([await ask(held.token), await ask(revoked.token)]).to.deep.equal([200, 401])
    expect((await replica.login({ label: 'new', browser })).token).to.match(/^dfoa_/)
  })
})
