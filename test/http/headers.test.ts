import { expect } from 'chai'
import sinon from 'sinon'
import { apiRoutes } from '#adapters/http/api-routes.ts'
import { pageRoutes } from '#adapters/http/routes/pages.ts'
import type { Reply } from '../support/world.ts'
import { API, aPlace, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'

/** Nothing here is about the limit. */
/** Nothing of these is anybody's own. */
const PUBLIC = ['/_health', '/_version', '/openapi.json', '/.well-known/oauth-authorization-server']

describe('headers', () => {
  let place: Place
  let token: string

  before(async () => {
    place = await aPlace({ settings: NO_BEARER_LIMIT })
    token = await mintOwn(place)
  })
  after(() => place.close())

  const everyKind: readonly [status: number, ask: () => Promise<Reply>][] = [
    [200, () => place.get(`${API}/_health`)],
    [200, () => place.get(`${API}/account`, { token })],
    [200, () => place.send('OPTIONS', `${API}/account`, { headers: { 'Access-Control-Request-Method': 'GET' } })],
    [400, () => place.post(`${API}/oauth/device/code`, { json: {} })],
    [401, () => place.get(`${API}/account`)],
    [404, () => place.get(`${API}/nothing`)],
    [404, () => place.get('/nothing')],
    [405, () => place.post(`${API}/account`)],
    [415, () => place.post(`${API}/oauth/device/code`, { body: 'x', headers: { 'Content-Type': 'text/plain' } })],
    [422, () => place.get(`${API}/account/sessions?page=0`, { token })],
    [500, () => failing(place, () => place.get(`${API}/account/sessions`, { token }))],
  ]
  for (const [status, ask] of everyKind) {
    it(`A10 a ${status} cannot be framed and carries the headers of every answer`, async () => {
      const reply = await ask()
      expect(reply.status).to.equal(status)
      expect(reply.headers.get('x-frame-options')).to.equal('DENY')
      expect(reply.headers.get('content-security-policy')).to.contain("frame-ancestors 'none'")
      expect(reply.headers.get('x-content-type-options')).to.equal('nosniff')
      expect(reply.headers.get('referrer-policy')).to.equal('no-referrer')
      expect(reply.headers.get('x-version')).to.equal('0.0.0-test')
      expect(reply.headers.get('x-request-id')).to.match(/^[\w.-]+$/)
    })
  }

  const PAGES: readonly (readonly [path: string, status: number])[] = [
    ['/signin', 200],
    ['/device', 200],
    ['/device?user_code=ABCD-EFGH', 404],
  ]
  for (const [path, expected] of PAGES) {
    it(`A10 page ${path} cannot be framed`, async () => {
      const { status, headers } = await place.get(path)
      expect([status, headers.get('content-type')]).to.deep.equal([expected, 'text/html; charset=utf-8'])
      expect(headers.get('x-frame-options')).to.equal('DENY')
      expect(headers.get('content-security-policy')).to.contain("frame-ancestors 'none'")
    })
  }

  for (const { method, path } of pageRoutes) {
    it(`A10 ${method.toUpperCase()} ${path} cannot be framed, to whomever it answers`, async () => {
      const { headers } = await place.signIn()
      for (const how of [{}, { headers }]) {
        const reply = await place.send(method.toUpperCase(), path, how)
        expect(reply.headers.get('x-frame-options')).to.equal('DENY')
        expect(reply.headers.get('content-security-policy')).to.contain("frame-ancestors 'none'")
      }
    })
  }

  const PRIVATE: readonly (readonly [method: string, path: string])[] = [
    ...apiRoutes
      .filter(({ path }) => !PUBLIC.includes(path))
      .map(({ method, path }) => [method.toUpperCase(), API + path.replaceAll(/:\w+/g, 'x')] as const),
    ['GET', `${API}/nothing`],
    ['GET', '/console/api/setup'],
    ['POST', '/console/api/login'],
    ['GET', '/console/api/account/profile'],
    ['GET', '/console/api/system-features'],
  ]
  for (const [method, path] of PRIVATE) {
    it(`A11 ${method} ${path} is never stored, with and without a bearer`, async () => {
      // One of the routes ends the bearer that it is called with.
      for (const how of [{}, { token: await mintOwn(place, { label: 'passing' }) }]) {
        const reply = await place.send(method, path, how)
        expect(reply.headers.get('cache-control')).to.equal('no-store')
      }
    })
  }

  for (const path of PUBLIC) {
    it(`A11 ${path} may be cached`, async () => {
      const reply = await place.get(API + path)
      expect(reply.status).to.equal(200)
      expect(reply.headers.get('cache-control') ?? '').to.not.contain('no-store')
    })
  }

  it('honours a well-formed X-Request-Id or traceparent and replaces any other', async () => {
    const idOf = async (headers: Record<string, string>) =>
      (await place.get(`${API}/_health`, { headers })).headers.get('x-request-id')
    expect(await idOf({ 'X-Request-Id': 'abc-123' })).to.equal('abc-123')
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    expect(await idOf({ traceparent: `00-${trace}-00f067aa0ba902b7-01` })).to.equal(trace)
    // Whoever writes a log line by it must not write what a caller chose.
    for (const bad of ['a b', '"x"', 'x'.repeat(129)])
      expect(await idOf({ 'X-Request-Id': bad })).to.match(/^[\w-]{36}$/)
  })

  it('A13 a plain error is a generic 500, logged once with its cause, and no byte of it answers', async () => {
    const before = place.logLines.length
    const reply = await failing(place, () => place.get(`${API}/account/sessions`, { token }))
    expect(reply.status).to.equal(500)
    expect(reply.json).to.deep.equal({
      error: 'internal_server_error',
      code: 'internal_server_error',
      message: 'Internal Server Error',
      status: 500,
    })
    const seen = JSON.stringify([...reply.headers]) + reply.text
    expect(seen).to.not.match(/select|secret_column|socket|at .*\.ts/)
    const logged = place.logLines.slice(before).filter(({ level }) => level === 'error')
    expect(logged).to.have.length(1)
    expect(logged[0]?.facts).to.have.nested.property('error.cause.message', 'socket hang up')
    expect(logged[0]?.facts).to.have.property('requestId', reply.headers.get('x-request-id'))
  })
})

/** Runs `ask` while a store throws what a driver might: a query, a column, a cause. */
async function failing<R>(place: Place, ask: () => Promise<R>): Promise<R> {
  const error = new Error('select secret_column from somewhere', { cause: new Error('socket hang up') })
  const stub = sinon.stub(place.ports.tokens, 'listLive').rejects(error)
  try {
    return await ask()
  } finally {
    stub.restore()
  }
}
