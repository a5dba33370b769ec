import { expect } from 'chai'
import { Redis } from 'ioredis'
import { chatFile } from '../http/app-files.ts'
import { API } from '../http/place.ts'
import { dropTemplate } from '../support/databases.ts'
import { clusterSuite, startCluster, type TestCluster } from '../support/redis-cluster.ts'
import { openReplicas, type Replica, type Replicas, setUp } from '../support/replicas.ts'
import { services } from '../support/services.ts'
import { type Browser, OWNER, type Reply } from '../support/world.ts'

const PER_MINUTE = 5
/** A command given up after a second, twice over, and what the rest takes. */
const BOUNDED_MS = 4000

/** Two whole servers on three masters: every route that Redis has a part in. */
;(services.postgres === null ? describe.skip : clusterSuite())('two replicas on a Redis Cluster', function () {
  this.timeout(60_000)
  let cluster: TestCluster
  let replicas: Replicas
  let a: Replica
  let b: Replica
  let browser: Browser
  let mias: Browser

  before(async () => {
    cluster = await startCluster()
    const env = {
      OPENAPI_RATE_LIMIT_PER_TOKEN: String(PER_MINUTE),
      DEVICE_FLOW_APPROVE_RATE_LIMIT_PER_HOUR: '20',
      MODEL_BASE_URL: 'scripted:',
    }
    replicas = await openReplicas({ redisUrl: cluster.url, env })
    ;[a, b] = await Promise.all([replicas.start(), replicas.start()])
    await setUp(a)
    browser = await b.signIn()
    mias = await signedInAnew()
  })
  after(async () => {
    await replicas?.close()
    await cluster.close()
    await dropTemplate()
  })
  afterEach(() => expect([...a.faults, ...b.faults]).to.deep.equal([]))

  const said = ({ status, json }: Reply) => `${status} ${json?.error ?? json?.status ?? 'ok'}`
  const poll = (at: Replica, deviceCode: string) =>
    at.post(`${API}/oauth/device/token`, { json: { device_code: deviceCode, client_id: 'difyctl' } })
  const decide = (at: Replica, word: 'approve' | 'deny', userCode: string) =>
    at.post(`${API}/oauth/device/${word}`, { json: { user_code: userCode }, headers: browser.headers })

  it('the device flow from one to the other: asked for, looked up, approved, picked up once', async () => {
    const { deviceCode, userCode } = await a.startFlow('flow')
    expect(said(await poll(b, deviceCode))).to.equal('400 authorization_pending')
    expect((await b.get(`${API}/oauth/device/lookup?user_code=${userCode}`)).json).to.include({ valid: true })
    expect(said(await decide(b, 'approve', userCode))).to.equal('200 approved')
    expect(said(await decide(a, 'approve', userCode))).to.equal('409 already_resolved')
    const takes = await Promise.all([a, b, a, b].map((replica) => poll(replica, deviceCode)))
    const expired = '400 expired_token'
    expect(takes.map(said).toSorted()).to.deep.equal(['200 ok', expired, expired, expired])
    const denied = await b.startFlow('denied')
    expect(said(await decide(a, 'deny', denied.userCode))).to.equal('200 denied')
    expect(said(await poll(b, denied.deviceCode))).to.equal('400 access_denied')
  })

  it('an account, its sessions, apps and a run, under limits that both share', async () => {
    const { token } = await a.login({ label: 'bearer', browser })
    const imported = await a.post('/console/api/apps/imports', {
      json: { mode: 'yaml-content', yaml_content: chatFile() },
      headers: browser.headers,
    })
    const json = { inputs: {}, query: 'Reply exactly: over the cluster', response_mode: 'blocking' }
    const account = await b.get(`${API}/account`, { token })
    expect(account.json).to.include({ subject_email: OWNER.email })
    const workspaceId = account.json.default_workspace_id
    expect((await a.get(`${API}/account/sessions`, { token })).json.data).to.not.be.empty
    expect((await b.get(`${API}/apps?workspace_id=${workspaceId}`, { token })).json.total).to.equal(1)
    const ran = await a.post(`${API}/apps/${imported.json.app_id}/run`, { token, json })
    expect(ran.json.answer).to.equal('over the cluster')
    expect((await b.get(`${API}/workspaces`, { token })).status).to.equal(200)
    // Five were counted, at either replica.
    for (const replica of [a, b]) {
      const refused = await replica.get(`${API}/workspaces`, { token })
      expect(said(refused)).to.equal('429 rate_limited')
      expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60)
    }
  })

  it('B19 a revoke and an introspection at one are about what the other caches', async () => {
    const [held, other] = [await a.login({ label: 'held', browser }), await a.login({ label: 'other', browser })]
    const introspect = async () => {
      const reply = await b.post(`${API}/oauth/introspect`, { token: other.token, form: { token: held.token } })
      return reply.json.active
    }
    expect((await b.get(`${API}/workspaces`, { token: held.token })).status).to.equal(200)
    expect(await introspect()).to.equal(true)
    expect((await a.post(`${API}/oauth/revoke`, { form: { token: held.token } })).status).to.equal(200)
    expect((await b.get(`${API}/workspaces`, { token: held.token })).status).to.equal(401)
    expect(await introspect()).to.equal(false)
    expect((await b.delete(`${API}/account/sessions/self`, { token: other.token })).status).to.equal(200)
    expect((await a.get(`${API}/workspaces`, { token: other.token })).status).to.equal(401)
  })

  it('M03 failed sign-ins lock out at both, approvals are counted over both', async () => {
    const wrong = { email: OWNER.email, password: 'not the password 1' }
    const from = { 'X-Forwarded-For': '198.51.100.7' }
    const tries = []
    for (const replica of [a, b, a, b, a, b]) {
      tries.push(said(await replica.post('/console/api/login', { json: wrong, headers: from })))
    }
    expect(tries.slice(0, 5)).to.deep.equal(Array(5).fill('401 authentication_failed'))
    expect(tries[5]).to.match(/^429 /)
    const decided = []
    for (let at = 0; at < 20; at++) decided.push((await decide(at % 2 === 0 ? a : b, 'deny', 'AAAA-AAAA')).status)
    expect(decided.at(0)).to.equal(404)
    expect(decided.at(-1)).to.equal(429)
  })

  it('its scripts flushed on every master: nothing is noticed', async () => {
    const { token } = await a.login({ label: 'flushed', browser: mias })
    for (const port of cluster.ports) {
      const master = new Redis(port, '127.0.0.1')
      await master.script('FLUSH')
      await master.quit()
    }
    expect((await b.get(`${API}/workspaces`, { token })).status).to.equal(200)
  })

  // Bound to nine tokens, so that some of their keys surely live at each master.
  it('B26 one master that hangs: bearers wait about a second and work, flows there are 503, all ends by itself', async () => {
    const labels = Array.from({ length: 9 }, (_, at) => `hang ${at}`)
    const tokens: string[] = []
    for (const label of labels) tokens.push((await a.login({ label, browser: mias })).token)
    const ask = () => Promise.all(tokens.map((token) => a.get(`${API}/workspaces`, { token })))
    let from = 0
    const start = (label: string) => {
      from += 1
      const headers = { 'X-Forwarded-For': `10.0.${Math.floor(from / 250)}.${from % 250}` }
      return a.post(`${API}/oauth/device/code`, { json: { client_id: 'difyctl', device_label: label }, headers })
    }
    const master = new Redis(cluster.ports[0] ?? 0, '127.0.0.1')
    const pid = Number(/process_id:(\d+)/.exec(await master.info('server'))?.[1])
    process.kill(pid, 'SIGSTOP')
    try {
      const startedAtMs = performance.now()
      for (const { status } of await ask()) expect(status).to.equal(200)
      const starts = await Promise.all(labels.map(start))
      expect(performance.now() - startedAtMs).to.be.below(BOUNDED_MS)
      const statuses = new Set(starts.map(({ status }) => status))
      expect([...statuses].toSorted()).to.deep.equal([200, 503])
      for (const { status, headers } of starts) if (status === 503) expect(headers.get('retry-after')).to.equal('5')
    } finally {
      process.kill(pid, 'SIGCONT')
      master.disconnect()
    }
    const deadline = Date.now() + 10_000
    for (;;) {
      const starts = await Promise.all(labels.map(start))
      if (starts.every(({ status }) => status === 200)) break
      if (Date.now() > deadline) throw new Error('the server does not come back to that master')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    for (const { status } of await ask()) expect(status).to.equal(200)
    await a.logged('redis answers again')
    // Loud about its cause, once.
    expect(a.faults.filter((fault) => fault.startsWith('redis'))).to.deep.equal(['redis does not answer'])
    a.faults.splice(0)
  })

  /** Another person, whose approvals have a limit of their own. */
  async function signedInAnew(): Promise<Browser> {
    const words = ['account', 'create', '--email', 'mia@example.test', '--name', 'Mia']
    expect(await replicas.command(words, 'correct horse 2')).to.equal(0)
    return b.signIn('mia@example.test', 'correct horse 2')
  }
})
