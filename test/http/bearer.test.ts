import { expect } from 'chai'
import sinon from 'sinon'
import { requireScope } from '#application/auth/checks.ts'
import { MISS_TTL_MS, POSITIVE_TTL_MS, REVOKED_TTL_MS } from '#application/ports/token-cache.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import { DomainError } from '#domain/errors.ts'
import { retryAfterMs } from '#domain/rate-limit.ts'
import { ACCOUNT_TOKEN, type TokenKind, tokenKindRegistry } from '#domain/token-kind.ts'
import { chatFile } from './app-files.ts'
import { API, aPlace, aToken, mintExternal, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'
import { bearerSuite } from './suites/bearer.ts'

bearerSuite('memory', {})

describe('scopes', () => {
  let place: Place
  before(async () => {
    place = await aPlace()
  })
  after(() => place.close())

  it('B02 full passes every scope', async () => {
    const token = await mintOwn(place)
    const appId = await place.addApp(chatFile())
    expect((await place.get(`${API}/apps?workspace_id=${place.owner.workspaceId}`, { token })).status).to.equal(200)
    expect((await place.get(`${API}/apps/${appId}/describe`, { token })).status).to.equal(200)
    const run = await place.post(`${API}/apps/${appId}/run`, { token, json: { inputs: {}, query: 'hi' } })
    expect(run.status).to.equal(200)
  })

  it('B03 the exact scope passes', async () => {
    const token = await mintExternal(place)
    const appId = await place.addApp(chatFile())
    const run = await place.post(`${API}/apps/${appId}/run`, { token, json: { inputs: {}, query: 'hi' } })
    expect(run.json.error).to.equal('subject_no_app_access')
  })

  it('B04 a missing scope is a 403 that names it on read routes', async () => {
    const token = await mintExternal(place)
    for (const path of ['/apps', `/apps/${place.ports.newId()}/describe`]) {
      const reply = await place.get(API + path, { token })
      expect(reply.status).to.equal(403)
      expect(reply.json).to.deep.include({
        error: 'insufficient_scope',
        code: 'forbidden',
        message: 'insufficient_scope: apps:read',
      })
      expect(reply.headers.get('www-authenticate')).to.equal(
        'Bearer realm="api", error="insufficient_scope", scope="apps:read"',
      )
    }
  })

  it('B04 the run route refuses a bearer that may only list', () => {
    const context = { scopes: ['apps:read:permitted'] } as unknown as AuthContext // the check reads nothing else
    expect(() => requireScope(context, 'apps:run', 'run'))
      .to.throw(DomainError)
      .with.deep.property('facts', { required: 'apps:run', surface: 'run' })
  })

  it('B01 two kinds of token with one prefix stop the start', () => {
    const twin: TokenKind = { ...ACCOUNT_TOKEN, source: 'twin' }
    expect(() => tokenKindRegistry([ACCOUNT_TOKEN, twin])).to.throw(/prefix/)
  })
})

describe('the Authorization header', () => {
  let place: Place
  before(async () => {
    place = await aPlace()
  })
  after(() => place.close())

  for (const [what, header] of Object.entries({
    'no header': null,
    'an empty one': '',
    'no token': 'Bearer',
    'a blank token': 'Bearer   ',
    'another scheme': 'Basic b3duZXI6cHc=',
    'a bare token': 'dfoa_AAAA',
  })) {
    it(`B06 ${what} is a 401 with a bare challenge`, async () => {
      const reply = await place.get(`${API}/account`, { headers: header === null ? {} : { Authorization: header } })
      expect([reply.status, reply.json.error]).to.deep.equal([401, 'bearer_required'])
      // RFC 6750 §3: a request without credentials is not told of an error.
      expect(reply.headers.get('www-authenticate')).to.equal('Bearer realm="api"')
    })
  }

  it('takes the scheme in any case', async () => {
    const token = await mintOwn(place)
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const reply = await place.get(`${API}/account`, { headers: { Authorization: `${scheme} ${token}` } })
      expect(reply.status, scheme).to.equal(200)
    }
  })

  // A token that is refused is not looked up: without an address nobody could tell whose program does not wait.
  it('a bearer beyond its limit is in the audit log with the address it came from, once', async () => {
    const token = await mintOwn(place, { label: 'hasty' })
    let status = 200
    for (let call = 0; call < 62; call++) ({ status } = await place.get(`${API}/workspaces`, { token }))
    expect(status).to.equal(429)
    const hits = await place.edit.auditRows('rate_limit.hit')
    expect(hits.map(({ facts }) => facts)).to.deep.equal([{ limit: 'bearer', ip: '127.0.0.1', account_id: null }])
  })

  it('refuses malformed bearers without any I/O', async () => {
    const admit = sinon.spy(place.ports.limiter, 'admit')
    const good = aToken(ACCOUNT_TOKEN)
    for (const token of [good.slice(0, -1), `${good}A`, good.replace('dfoa_', 'dfoe_'), 'nonsense']) {
      expect((await place.get(`${API}/account`, { token })).status).to.equal(401)
    }
    expect(admit.callCount).to.equal(0)
    admit.restore()
  })
})

describe('the token cache', () => {
  let place: Place
  beforeEach(async () => {
    place = await aPlace({ settings: NO_BEARER_LIMIT })
  })
  afterEach(async () => {
    sinon.restore()
    await place.close()
  })

  /** How many reads of the database one request costs. */
  async function readsOf(token: string, status: number): Promise<number> {
    const find = sinon.spy(place.ports.tokens, 'findByHash')
    const reply = await place.get(`${API}/workspaces`, { token })
    find.restore()
    expect(reply.status).to.equal(status)
    return find.callCount
  }

  it('B16 keeps what it found for a minute', async () => {
    const token = await mintOwn(place)
    expect(await readsOf(token, 200)).to.equal(1)
    place.clock.advance(POSITIVE_TTL_MS - 1)
    expect(await readsOf(token, 200)).to.equal(0)
    place.clock.advance(1)
    expect(await readsOf(token, 200)).to.equal(1)
    expect(POSITIVE_TTL_MS).to.equal(60_000)
  })

  it('B16 keeps a miss for ten seconds', async () => {
    const token = aToken(ACCOUNT_TOKEN)
    expect(await readsOf(token, 401)).to.equal(1)
    place.clock.advance(MISS_TTL_MS - 1)
    expect(await readsOf(token, 401)).to.equal(0)
    place.clock.advance(1)
    expect(await readsOf(token, 401)).to.equal(1)
    expect(MISS_TTL_MS).to.equal(10_000)
  })

  it('B16 keeps a revoked token dead for a minute without asking again', async () => {
    const token = await mintOwn(place)
    await place.delete(`${API}/account/sessions/self`, { token })
    place.clock.advance(REVOKED_TTL_MS - 1)
    expect(await readsOf(token, 401)).to.equal(0)
    place.clock.advance(1)
    expect(await readsOf(token, 401)).to.equal(1)
    expect(REVOKED_TTL_MS).to.equal(60_000)
  })

  it('B13 the window’s arithmetic: oldest at 100 s, window 60 s, now 130 s', () => {
    expect(retryAfterMs(100_000, 60_000, 130_000)).to.equal(30_000)
    expect(retryAfterMs(100_000, 60_000, 159_999)).to.equal(1000)
  })
})
