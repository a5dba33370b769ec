import { expect } from 'chai'
import { decodeProtectedHeader } from 'jose'
import { openReplicas, type Replica, type Replicas, replicaSuite, setUp } from '../support/replicas.ts'
import type { Browser } from '../support/world.ts'

const OLD = `old:${'o'.repeat(32)}`
const NEW = `new:${'n'.repeat(32)}`
const API = '/openapi/v1'

// The order of docs/operations.md: first everybody knows the new key, then everybody signs with it, then the old goes.
replicaSuite('SECRET_KEY rotates under two replicas', function () {
  this.timeout(60_000)
  let replicas: Replicas
  before(async () => {
    replicas = await openReplicas()
  })
  after(() => replicas.close())

  const start = (keys: string) => replicas.start({ SECRET_KEY: keys })
  const whoIs = async (at: Replica, { headers }: Browser) =>
    (await at.get('/console/api/account/profile', { headers })).status
  const approve = async (at: Replica, { headers }: Browser, userCode: string) =>
    (await at.post(`${API}/oauth/device/approve`, { json: { user_code: userCode }, headers })).status
  const keyOf = ({ cookie }: Browser) => decodeProtectedHeader(/access_token=([^;]+)/.exec(cookie)?.[1] ?? '').kid

  it('nobody is signed out on the way, codes and tokens go on, and the old key opens nothing at the end', async () => {
    const first = await start(OLD)
    await setUp(first)
    const early = await first.signIn()
    expect(keyOf(early)).to.equal('old')
    const { token } = await first.login({ browser: early })
    const waiting = await first.startFlow('approved under the old key')
    expect(await approve(first, early, waiting.userCode)).to.equal(200)
    const undecided = await first.startFlow('decided under the new key')

    // One replica already knows the new key, the other does not yet: what either signs, both read.
    const second = await start(`${OLD},${NEW}`)
    const middle = await second.signIn()
    expect(keyOf(middle)).to.equal('old')
    for (const at of [first, second]) {
      for (const browser of [early, middle]) expect(await whoIs(at, browser)).to.equal(200)
    }
    await first.stop()

    // One replica already signs with the new key, the other with the old.
    const third = await start(`${NEW},${OLD}`)
    const late = await third.signIn()
    expect(keyOf(late)).to.equal('new')
    for (const at of [second, third]) {
      for (const browser of [early, middle, late]) expect(await whoIs(at, browser)).to.equal(200)
    }
    await second.stop()

    // What was sealed or begun before does not depend on the key.
    const picked = await third.post(`${API}/oauth/device/token`, {
      json: { device_code: waiting.deviceCode, client_id: 'difyctl' },
    })
    expect(picked.json.token).to.match(/^dfoa_/)
    expect(await approve(third, early, undecided.userCode)).to.equal(200)

    const last = await start(NEW)
    expect(await whoIs(last, late)).to.equal(200)
    for (const browser of [early, middle]) expect(await whoIs(last, browser)).to.equal(401)
    for (const bearer of [token, picked.json.token]) {
      expect((await last.get(`${API}/account`, { token: bearer })).status).to.equal(200)
    }
    // The refresh token is no signature: the browser renews itself without a password.
    const renewed = await last.post('/console/api/refresh-token', { headers: { Cookie: early.cookie } })
    expect(renewed.status).to.equal(200)
    await third.stop()
    await last.stop()
  })

  it('a key that was replaced in one step is what the middle step is for: the other replica refuses its cookies', async () => {
    const behind = await start(OLD)
    const ahead = await start(`${NEW},${OLD}`)
    expect(await whoIs(behind, await ahead.signIn())).to.equal(401)
    expect(await whoIs(ahead, await behind.signIn())).to.equal(200)
    await behind.stop()
    await ahead.stop()
  })
})
