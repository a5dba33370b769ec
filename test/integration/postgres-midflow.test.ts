import { expect } from 'chai'
import { openPostgres } from '#adapters/postgres/open-orm.ts'
import { API } from '../http/place.ts'
import { openCuttingProxy } from '../support/cutting-proxy.ts'
import { type OwnPostgres, openOwnPostgres } from '../support/own-services.ts'
import { openReplicas, type Replica, type Replicas, replicaSuite, setUp } from '../support/replicas.ts'
import type { Browser, Reply } from '../support/world.ts'

/** A whole server over HTTP, and a PostgreSQL of its own that crashes under it. */
replicaSuite('PostgreSQL that crashes in mid-flow', function () {
  this.timeout(60_000)
  let own: OwnPostgres
  let replicas: Replicas
  let replica: Replica
  let browser: Browser

  before(async function () {
    const opened = await openOwnPostgres()
    if (opened === null) return this.skip()
    own = opened
    replicas = await openReplicas({ databaseUrl: own.url })
    replica = await replicas.start()
    await setUp(replica)
    browser = await replica.signIn()
  })
  after(async () => {
    await replicas?.close()
    own?.stop()
  })

  const said = ({ status, json }: Reply) => `${status} ${json?.error ?? json?.status ?? 'ok'}`
  const workspaces = (token: string, at = replica) => at.get(`${API}/workspaces`, { token })
  const approve = (userCode: string, at = replica) =>
    at.post(`${API}/oauth/device/approve`, { json: { user_code: userCode }, headers: browser.headers })
  const poll = (deviceCode: string, at = replica) =>
    at.post(`${API}/oauth/device/token`, { json: { device_code: deviceCode, client_id: 'difyctl' } })
  const lookUp = (userCode: string) => replica.get(`${API}/oauth/device/lookup?user_code=${userCode}`)

  function expectAway(replies: readonly Reply[]): void {
    for (const reply of replies) {
      expect(said(reply)).to.equal('503 service_unavailable')
      expect(reply.headers.get('retry-after')).to.equal('5')
      expect(reply.text).to.not.match(/postgres|ECONN|select|connection/i)
    }
  }

  async function rows<Row>(statement: string): Promise<Row[]> {
    const orm = await openPostgres({ url: own.url })
    try {
      return await orm.em.fork().execute<Row[]>(statement)
    } finally {
      await orm.close()
    }
  }

  it('E15 away at approve and at pick-up: 503 each, and the very same codes work when it is back', async () => {
    const [undecided, approved] = [await replica.startFlow('undecided'), await replica.startFlow('approved')]
    const warm = await replica.login({ label: 'warm', browser })
    expect((await workspaces(warm.token)).status).to.equal(200)
    expect(said(await approve(approved.userCode))).to.equal('200 approved')
    own.stop()
    expectAway([
      await approve(undecided.userCode),
      await poll(approved.deviceCode),
      await replica.post('/console/api/login', { json: { email: 'owner@example.test', password: 'x1x1x1x1' } }),
    ])
    // What is cached needs no database.
    expect((await workspaces(warm.token)).status).to.equal(200)
    expect((await lookUp(undecided.userCode)).json.valid).to.equal(true)
    own.start()
    expect(await rows(`select 1 from oauth_access_tokens where device_label = 'undecided'`)).to.deep.equal([])
    expect(said(await poll(undecided.deviceCode))).to.equal('400 authorization_pending')
    expect(said(await approve(undecided.userCode))).to.equal('200 approved')
    for (const { deviceCode } of [undecided, approved]) {
      const { json } = await poll(deviceCode)
      expect((await workspaces(json.token)).status).to.equal(200)
      expect(said(await poll(deviceCode))).to.equal('400 expired_token')
    }
  })

  it('E15 crashed while an approve waits for its commit: nothing is half written, and the code is pending', async () => {
    const proxy = await openCuttingProxy(own.url)
    const around = new URL(own.url)
    around.host = `127.0.0.1:${proxy.port}`
    const slow = await replicas.start({ DATABASE_URL: around.href })
    const { deviceCode, userCode } = await slow.startFlow('halfway')
    // Inserted, audited, not committed: then the server is gone.
    const held = proxy.hold('insert into audit_events')
    const approving = approve(userCode, slow)
    await held.caught
    own.stop()
    held.release()
    expectAway([await approving])
    own.start()
    const minted = `select 1 from oauth_access_tokens where device_label = 'halfway'
      union all select 1 from audit_events where event = 'oauth.device_flow_approved'
        and facts->>'device_label' = 'halfway'`
    expect(await rows(minted)).to.deep.equal([])
    expect(said(await poll(deviceCode, slow))).to.equal('400 authorization_pending')
    expect(said(await approve(userCode))).to.equal('200 approved')
    expect(await rows(minted)).to.have.length(2)
    const { json } = await poll(deviceCode, slow)
    expect((await workspaces(json.token, slow)).status).to.equal(200)
    expect((await slow.stop()).code).to.equal(0)
    await proxy.cut()
  })

  it('crashed under load: only 200 and 503, and the pool is whole afterwards', async () => {
    const labels = Array.from({ length: 20 }, (_, at) => `load ${at}`)
    const held = await Promise.all(labels.map((label) => replica.login({ label, browser })))
    const sessions = () => Promise.all(held.map(({ token }) => replica.get(`${API}/account/sessions`, { token })))
    let isOver = false
    const seen = new Set<number>()
    const pressing = (async () => {
      while (!isOver) for (const { status } of await sessions()) seen.add(status)
    })()
    while (!seen.has(200)) await new Promise(setImmediate)
    own.stop()
    while (!seen.has(503)) await new Promise(setImmediate)
    own.start()
    isOver = true
    await pressing
    expect([...seen].toSorted()).to.deep.equal([200, 503])
    for (const reply of await sessions()) expect(reply.status).to.equal(200)
  })
})
