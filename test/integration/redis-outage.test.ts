import { once } from 'node:events'
import { expect } from 'chai'
import sinon from 'sinon'
import { newId } from '#adapters/crypto/ids.ts'
import { createMemoryRateLimiter } from '#adapters/memory/rate-limiter.ts'
import { createMemoryTokenCache } from '#adapters/memory/token-cache.ts'
import { createRedisDeviceFlowStore } from '#adapters/redis/device-flow-store.ts'
import { createRedisNonceGuard } from '#adapters/redis/nonce-guard.ts'
import { openRedis, type RedisLink } from '#adapters/redis/open-redis.ts'
import { createRedisRateLimiter } from '#adapters/redis/rate-limiter.ts'
import { createRedisTokenCache } from '#adapters/redis/token-cache.ts'
import { outliveOutage } from '#application/auth/outlive-outage.ts'
import type { Ports } from '#application/ports.ts'
import { API, aPlace, mintOwn, type Place } from '../http/place.ts'
import { grantOf, ORIGIN, signAs, ssoOf } from '../http/sso.ts'
import { type CuttingProxy, openCuttingProxy } from '../support/cutting-proxy.ts'
import { dropTemplate } from '../support/databases.ts'
import { aBridge } from '../support/policy.ts'
import { openTestRedis, type TestRedis } from '../support/redis.ts'
import { services } from '../support/services.ts'

const found = services.postgres !== null && services.redis !== null
const PER_MINUTE = 3

/** One replica whose way to Redis can be cut. */
;(found ? describe : describe.skip)('an outage of Redis', function () {
  this.timeout(20_000)
  let direct: TestRedis
  let proxy: CuttingProxy
  let link: RedisLink
  let place: Place

  beforeEach(async () => {
    direct = await openTestRedis()
    proxy = await openCuttingProxy(direct.url)
    const change = (ports: Ports): Ports => {
      const { now, log } = ports
      const { prefix } = direct
      link = openRedis({ url: `redis://127.0.0.1:${proxy.port}`, keyPrefix: prefix, log })
      const outliving = outliveOutage({
        limiter: createRedisRateLimiter(link, { prefix, now }),
        cache: createRedisTokenCache(link, { prefix, now }),
        localLimiter: createMemoryRateLimiter({ now, cache: createMemoryTokenCache({ now, ids: newId }) }),
        log,
      })
      return {
        ...ports,
        ...outliving,
        bridge: aBridge(),
        flows: createRedisDeviceFlowStore(link, { prefix, now, log }),
        nonces: createRedisNonceGuard(link, { prefix, digest: ports.digest }),
      }
    }
    const settings = { bearer: { enabled: true, perMinute: PER_MINUTE }, consoleApiUrl: ORIGIN }
    place = await aPlace({ on: 'services', settings, change })
  })
  afterEach(async () => {
    sinon.restore()
    await link.quit()
    await place.close()
    await proxy.cut()
    await direct.close()
  })
  after(dropTemplate)

  const workspaces = (token: string) => place.get(`${API}/workspaces`, { token })
  const mend = async () => {
    const ready = once(link.client, 'ready')
    await proxy.mend()
    await ready
  }

  it('B26 bearers are answered from the database under a limit of this replica, then shared again', async () => {
    const token = await mintOwn(place)
    expect((await workspaces(token)).status).to.equal(200)
    const refused = once(link.client, 'error')
    await proxy.cut()
    const find = sinon.spy(place.ports.tokens, 'findByHash')
    const replies = [await workspaces(token), await workspaces(token), await workspaces(token), await workspaces(token)]
    expect(replies.map(({ status }) => status)).to.deep.equal([200, 200, 200, 429])
    expect(Number(replies[3]?.headers.get('retry-after'))).to.be.at.least(1)
    expect(find.callCount).to.equal(3)
    await refused
    await mend()
    // The shared window holds the one call from before the outage and takes two more.
    const shared = [await workspaces(token), await workspaces(token), await workspaces(token)]
    expect(shared.map(({ status }) => status)).to.deep.equal([200, 200, 429])
    expect(find.callCount).to.equal(3)
    const told = place.logLines.map(({ message }) => message).filter((message) => message.startsWith('redis'))
    expect(told).to.deep.equal(['redis does not answer', 'redis answers again'])
  })

  it('B26 device routes answer 503 with Retry-After, and a flow begun before goes on afterwards', async () => {
    const browser = await place.signIn()
    const { deviceCode, userCode } = await place.startFlow()
    const json = { device_code: deviceCode, client_id: 'difyctl' }
    const ask = {
      code: () => place.post(`${API}/oauth/device/code`, { json: { client_id: 'difyctl', device_label: 'desk' } }),
      poll: () => place.post(`${API}/oauth/device/token`, { json }),
      lookUp: () => place.get(`${API}/oauth/device/lookup?user_code=${userCode}`),
      approve: () =>
        place.post(`${API}/oauth/device/approve`, { json: { user_code: userCode }, headers: browser.headers }),
    }
    await proxy.cut()
    for (const [name, send] of Object.entries(ask)) {
      const reply = await send()
      expect(reply.status, name).to.equal(503)
      expect(reply.headers.get('retry-after'), name).to.equal('5')
      expect(reply.json.error, name).to.equal('service_unavailable')
    }
    await mend()
    expect((await ask.lookUp()).json.valid).to.equal(true)
    expect((await ask.approve()).status).to.equal(200)
    const picked = await ask.poll()
    expect(picked.status).to.equal(200)
    expect((await workspaces(picked.json.token)).status).to.equal(200)
  })

  // A nonce that nobody could look up must count as neither used nor unused.
  it('B26 an external sign-on answers 503 with Retry-After, and goes on afterwards with what it had', async () => {
    const sso = ssoOf(place)
    const { userCode, deviceCode } = await place.startFlow()
    const other = await place.startFlow('other')
    const { cookie, csrf } = await sso.signOn(userCode)
    const sealed = await signAs(sso.assertionClaims(other.userCode))
    const ask = {
      initiate: () => sso.initiate(userCode),
      complete: () => sso.complete(sealed),
      approve: () => sso.approve(cookie, csrf, userCode),
    }
    await proxy.cut()
    for (const [name, send] of Object.entries(ask)) {
      const reply = await send()
      expect(reply.status, name).to.equal(503)
      expect(reply.headers.get('retry-after'), name).to.equal('5')
      expect(grantOf(reply), name).to.equal(null)
    }
    await mend()
    expect((await ask.initiate()).status).to.equal(302)
    expect(grantOf(await ask.complete())).to.not.equal(null)
    expect((await ask.approve()).status).to.equal(200)
    const json = { device_code: deviceCode, client_id: 'difyctl' }
    expect((await place.post(`${API}/oauth/device/token`, { json })).json.token).to.match(/^dfoe_/)
  })

  it('B26 a server that hangs costs a bearer about a second, not the request', async () => {
    const token = await mintOwn(place)
    expect((await workspaces(token)).status).to.equal(200)
    proxy.silence()
    expect((await workspaces(token)).status).to.equal(200)
  })

  // Protects an acknowledged revoke: the entry that Redis still holds must not revive the token after the outage.
  it('B26 a token revoked during the outage is dead at once and stays dead after it', async () => {
    const token = await mintOwn(place)
    expect((await workspaces(token)).status).to.equal(200)
    await proxy.cut()
    expect((await place.delete(`${API}/account/sessions/self`, { token })).status).to.equal(200)
    expect((await workspaces(token)).status).to.equal(401)
    await mend()
    expect((await workspaces(token)).status).to.equal(401)
    const told = place.logLines.map(({ message }) => message).filter((message) => message.startsWith('changes'))
    expect(told).to.deep.equal(['changes of tokens wait for the cache', 'changes of tokens reached the cache'])
  })
})
