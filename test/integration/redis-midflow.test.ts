import { expect } from 'chai'
import { Redis } from 'ioredis'
import { API } from '../http/place.ts'
import { dropTemplate } from '../support/databases.ts'
import { type OwnRedis, openOwnRedis, ownRedisSuite } from '../support/own-redis.ts'
import { openReplicas, type Replica, type Replicas, setUp } from '../support/replicas.ts'
import type { Browser, Reply } from '../support/world.ts'

const PER_MINUTE = 8
/** A command given up after a second, twice: once for the limits, once more where a route asks again. */
const BOUNDED_MS = 3500

/** A whole server over HTTP, and a Redis of its own that everything happens to. */
ownRedisSuite('Redis that fails in mid-flow', function () {
  this.timeout(30_000)
  let own: OwnRedis
  let raw: Redis
  let replicas: Replicas
  let replica: Replica
  let browser: Browser

  before(async () => {
    own = await openOwnRedis()
    raw = new Redis(own.url).on('error', () => {})
    replicas = await openReplicas({
      redisUrl: own.url,
      env: { OPENAPI_RATE_LIMIT_PER_TOKEN: String(PER_MINUTE) },
    })
    replica = await replicas.start()
    await setUp(replica)
    browser = await replica.signIn()
  })
  after(async () => {
    raw.disconnect()
    await replicas.close()
    await own.stop()
    await dropTemplate()
  })

  const said = ({ status, json }: Reply) => `${status} ${json?.error ?? json?.status ?? 'ok'}`
  const workspaces = (token: string) => replica.get(`${API}/workspaces`, { token })
  const approve = (userCode: string) =>
    replica.post(`${API}/oauth/device/approve`, { json: { user_code: userCode }, headers: browser.headers })
  const poll = (deviceCode: string) =>
    replica.post(`${API}/oauth/device/token`, { json: { device_code: deviceCode, client_id: 'difyctl' } })
  const lookUp = (userCode: string) => replica.get(`${API}/oauth/device/lookup?user_code=${userCode}`)

  /** Asks until the server has its Redis back, as a person would: by itself it must come. */
  async function recovered(): Promise<void> {
    const deadline = Date.now() + 15_000
    for (;;) {
      const { status } = await lookUp('AAAA-AAAA')
      if (status === 200) return
      expect(status).to.equal(503)
      if (Date.now() > deadline) throw new Error('the server does not come back to its Redis')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async function expectDeviceRoutesAway(userCode: string, deviceCode: string): Promise<void> {
    const start = replica.post(`${API}/oauth/device/code`, { json: { client_id: 'difyctl', device_label: 'x' } })
    for (const reply of await Promise.all([start, lookUp(userCode), poll(deviceCode), approve(userCode)])) {
      expect(said(reply)).to.equal('503 service_unavailable')
      expect(reply.headers.get('retry-after')).to.equal('5')
    }
  }

  it('its scripts flushed: a flow and a bearer go on', async () => {
    const { deviceCode, userCode } = await replica.startFlow('flushed scripts')
    expect(said(await poll(deviceCode))).to.equal('400 authorization_pending')
    await raw.script('FLUSH')
    expect(said(await approve(userCode))).to.equal('200 approved')
    await raw.script('FLUSH')
    const { json } = await poll(deviceCode)
    await raw.script('FLUSH')
    expect((await workspaces(json.token)).status).to.equal(200)
    expect(replica.faults).to.deep.equal([])
  })

  it('everything flushed: pending and approved codes are expired, bearers live on from the database', async () => {
    const { token } = await replica.login({ label: 'flushed', browser })
    const [pending, approved] = [await replica.startFlow('pending'), await replica.startFlow('approved')]
    expect(said(await approve(approved.userCode))).to.equal('200 approved')
    expect((await workspaces(token)).status).to.equal(200)
    await raw.flushall()
    expect(said(await poll(pending.deviceCode))).to.equal('400 expired_token')
    expect(said(await poll(approved.deviceCode))).to.equal('400 expired_token')
    expect(said(await approve(pending.userCode))).to.equal('404 expired_or_unknown')
    expect((await lookUp(pending.userCode)).json).to.deep.equal({
      valid: false,
      expires_in_remaining: 0,
      client_id: null,
    })
    expect((await workspaces(token)).status).to.equal(200)
    expect((await replica.login({ label: 'flushed', browser })).token).to.be.a('string')
    expect(replica.faults).to.deep.equal([])
  })

  it('B26 paused: bearers are answered in bounded time under a limit of this replica, device routes are 503', async () => {
    const { token } = await replica.login({ label: 'paused', browser })
    const flow = await replica.startFlow('waits')
    expect((await workspaces(token)).status).to.equal(200)
    own.pause()
    try {
      const startedAtMs = performance.now()
      const together = await Promise.all(Array.from({ length: PER_MINUTE + 2 }, () => workspaces(token)))
      expect(performance.now() - startedAtMs).to.be.below(BOUNDED_MS)
      const counted = (status: number) => together.filter((reply) => reply.status === status).length
      expect([counted(200), counted(429)]).to.deep.equal([PER_MINUTE, 2])
      await expectDeviceRoutesAway(flow.userCode, flow.deviceCode)
    } finally {
      own.resume()
    }
    await recovered()
    expect(said(await approve(flow.userCode))).to.equal('200 approved')
    const { json } = await poll(flow.deviceCode)
    expect((await workspaces(json.token)).status).to.equal(200)
  })

  it('B26 restarted: device routes are 503 while it is away, and a new flow works when an empty one is back', async () => {
    const { token } = await replica.login({ label: 'restarted', browser })
    const flow = await replica.startFlow('lost')
    await own.stop()
    await expectDeviceRoutesAway(flow.userCode, flow.deviceCode)
    expect((await workspaces(token)).status).to.equal(200)
    await own.start()
    await recovered()
    expect(said(await poll(flow.deviceCode))).to.equal('400 expired_token')
    const next = await replica.login({ label: 'restarted', browser })
    expect([(await workspaces(next.token)).status, (await workspaces(token)).status]).to.deep.equal([200, 401])
  })

  // A swap whose answer is lost may have been done; said again it must not hand the token out twice.
  it('E15 paused between approval and pick-up: the token is handed out at most once', async () => {
    const flow = await replica.startFlow('picked')
    expect(said(await approve(flow.userCode))).to.equal('200 approved')
    own.pause()
    const polls = [poll(flow.deviceCode), poll(flow.deviceCode)]
    const early = await Promise.all(polls)
    own.resume()
    await recovered()
    expect(early.map(said)).to.deep.equal(['503 service_unavailable', '503 service_unavailable'])
    const late = await Promise.all([poll(flow.deviceCode), poll(flow.deviceCode), poll(flow.deviceCode)])
    expect(late.map(said).toSorted()).to.deep.equal(['200 ok', '400 expired_token', '400 expired_token'])
  })
})
