import { request } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import sinon from 'sinon'
import { newId } from '#adapters/crypto/ids.ts'
import type { Reply } from '../support/world.ts'
import { chatFile } from './app-files.ts'
import { API, aPlace, type Place } from './place.ts'

const ALLOWED = 'https://console.example'

/** A preflight as a browser sends it; fetch would strip some of its headers. */
function preflight(place: Place, path: string, headers: Record<string, string>): Promise<Reply> {
  return place.send('OPTIONS', path, {
    headers: { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'Authorization', ...headers },
  })
}

describe('routing', () => {
  let place: Place
  let token: string
  let appId: string

  before(async () => {
    place = await aPlace({ corsOrigins: [ALLOWED], settings: { bearer: { enabled: true, perMinute: 0 } } })
    token = (await place.login()).token
    appId = await place.addApp(chatFile())
  })
  after(() => place.close())

  it('A01 health answers under the prefix and nowhere else', async () => {
    const health = await place.get(`${API}/_health`)
    expect(health.status).to.equal(200)
    expect(health.text).to.equal('{"ok":true}')
    for (const path of ['/_health', '/v1/_health']) expect((await place.get(path)).status, path).to.equal(404)
  })

  const RETIRED: readonly [method: string, path: string][] = [
    ['POST', '/v1/oauth/device/code'],
    ['POST', '/v1/oauth/device/token'],
    ['GET', '/v1/oauth/device/lookup'],
    ['POST', '/v1/oauth/device/approve'],
    ['POST', '/v1/oauth/device/deny'],
    ['GET', '/v1/device/sso-complete'],
    ['GET', '/v1/me'],
    ['DELETE', '/v1/oauth/authorizations/self'],
    ['POST', '/console/api/oauth/device/approve'],
    ['POST', '/console/api/oauth/device/deny'],
    ['GET', `${API}/apps/ID`],
    ['GET', `${API}/apps/ID/info`],
    ['GET', `${API}/apps/ID/parameters`],
    ['POST', `${API}/apps/ID/chat-messages`],
    ['POST', `${API}/apps/ID/completion-messages`],
    ['POST', `${API}/apps/ID/workflows/run`],
    ['GET', '/inner/api/info'],
    ['POST', '/v1/chat-messages'],
    ['GET', '/v1/parameters'],
  ]
  for (const [method, path] of RETIRED) {
    it(`A03 ${method} ${path} is retired: 404, also with a good bearer and an app that exists`, async () => {
      const reply = await place.send(method, path.replace('ID', appId), { token })
      expect(reply.status).to.equal(404)
      expect(reply.json.error).to.equal('not_found')
    })
  }

  it('A04 an unknown path under the prefix answers the one error body', async () => {
    const reply = await place.get(`${API}/no/such/thing`)
    expect(reply.status).to.equal(404)
    expect(reply.headers.get('content-type')).to.match(/^application\/json/)
    expect(reply.json).to.deep.equal({ error: 'not_found', code: 'not_found', message: 'not_found', status: 404 })
  })

  it('answers a wrong method with 405 and the methods that there are', async () => {
    const reply = await place.delete(`${API}/account`, { token })
    expect(reply.status).to.equal(405)
    expect(reply.headers.get('allow')?.split(', ')).to.include('GET').and.not.include('DELETE')
    expect(reply.json).to.deep.include({ error: 'method_not_allowed', code: 'method_not_allowed', status: 405 })
  })

  it('A05 an allowed origin is echoed, with credentials and a max age of 600', async () => {
    const reply = await preflight(place, `${API}/account`, { Origin: ALLOWED })
    expect(reply.status).to.equal(200)
    expect(reply.headers.get('access-control-allow-origin')).to.equal(ALLOWED)
    expect(reply.headers.get('access-control-allow-credentials')).to.equal('true')
    expect(reply.headers.get('access-control-max-age')).to.equal('600')
  })

  for (const origin of ['https://evil.example', 'null', `${ALLOWED}.evil.example`, 'http://console.example']) {
    it(`A06 origin ${origin} is told nothing, and its preflight still answers 200`, async () => {
      for (const reply of [
        await preflight(place, `${API}/account`, { Origin: origin }),
        await place.get(`${API}/account`, { token, headers: { Origin: origin } }),
      ]) {
        expect(reply.status).to.equal(200)
        expect(reply.headers.has('access-control-allow-origin')).to.equal(false)
      }
    })
  }

  it('A07 an empty list allows no origin', async () => {
    const closed = await aPlace()
    try {
      const reply = await preflight(closed, `${API}/account`, { Origin: ALLOWED })
      expect(reply.status).to.equal(200)
      expect(reply.headers.has('access-control-allow-origin')).to.equal(false)
    } finally {
      await closed.close()
    }
  })

  it('A08 a request without an Origin works and gets no CORS answer', async () => {
    const reply = await place.get(`${API}/account`, { token })
    expect(reply.status).to.equal(200)
    expect(reply.headers.has('access-control-allow-origin')).to.equal(false)
  })

  it('A09 a browser may send Authorization', async () => {
    const reply = await preflight(place, `${API}/account`, { Origin: ALLOWED })
    expect(reply.headers.get('access-control-allow-headers')?.split(', ')).to.include('Authorization')
  })

  it('A17 a preflight answers exactly the methods and headers that there are', async () => {
    const { headers } = await preflight(place, `${API}/no/such/thing`, { Origin: ALLOWED })
    expect(headers.get('access-control-allow-methods')).to.equal('GET, POST, PATCH, DELETE, OPTIONS')
    expect(headers.get('access-control-allow-headers')).to.equal('Authorization, Content-Type, X-CSRF-Token')
    const plain = await place.get(`${API}/_health`, { headers: { Origin: ALLOWED } })
    expect(plain.headers.get('access-control-expose-headers')).to.equal('X-Version, X-Request-Id, Retry-After')
    expect(plain.headers.get('vary')).to.match(/\borigin\b/i)
  })

  it('keeps the CORS answer on refusals, so that a browser client can read them', async () => {
    const reply = await place.get(`${API}/account`, { headers: { Origin: ALLOWED } })
    expect(reply.status).to.equal(401)
    expect(reply.headers.get('access-control-allow-origin')).to.equal(ALLOWED)
  })

  describe('headers', () => {
    const everyKind: readonly [status: number, ask: () => Promise<Reply>][] = [
      [200, () => place.get(`${API}/_health`)],
      [200, () => place.get(`${API}/account`, { token })],
      [200, () => preflight(place, `${API}/account`, { Origin: ALLOWED })],
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

    for (const path of ['/install', '/signin', '/device', '/device?user_code=ABCD-EFGH']) {
      it(`A10 page ${path} cannot be framed`, async () => {
        const { headers } = await place.get(path)
        expect(headers.get('x-frame-options')).to.equal('DENY')
        expect(headers.get('content-security-policy')).to.contain("frame-ancestors 'none'")
      })
    }

    const PRIVATE: readonly (readonly [method: string, path: string])[] = [
      ['POST', `${API}/oauth/device/code`],
      ['POST', `${API}/oauth/device/token`],
      ['GET', `${API}/oauth/device/lookup?user_code=ABCD-EFGH`],
      ['POST', `${API}/oauth/device/approve`],
      ['POST', `${API}/oauth/device/deny`],
      ['GET', `${API}/account`],
      ['GET', `${API}/account/sessions`],
      ['DELETE', `${API}/account/sessions/x`],
      ['GET', `${API}/workspaces`],
      ['GET', `${API}/workspaces/x`],
      ['GET', `${API}/apps`],
      ['GET', `${API}/apps/x/describe`],
      ['POST', `${API}/apps/x/run`],
      ['GET', `${API}/nothing`],
      ['GET', '/console/api/setup'],
      ['POST', '/console/api/login'],
      ['GET', '/console/api/account/profile'],
      ['GET', '/console/api/system-features'],
    ]
    for (const [method, path] of PRIVATE) {
      it(`A11 ${method} ${path} is never stored, with and without a bearer`, async () => {
        for (const how of [{}, { token }]) {
          const reply = await place.send(method, path, how)
          expect(reply.headers.get('cache-control')).to.equal('no-store')
        }
      })
    }

    for (const path of ['/_health', '/_version', '/openapi.json', '/.well-known/oauth-authorization-server']) {
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

  it('A16 a second known client is admitted, an unknown one is not', async () => {
    const two = await aPlace({ settings: { knownClientIds: ['difyctl', 'acme-cli'] } })
    try {
      const ask = (client_id: string) =>
        two.post(`${API}/oauth/device/code`, { json: { client_id, device_label: 'laptop' } })
      expect((await ask('acme-cli')).status).to.equal(200)
      expect((await ask('difyctl')).status).to.equal(200)
      expect((await ask('latchkey')).json).to.deep.include({ error: 'unsupported_client', status: 400 })
    } finally {
      await two.close()
    }
  })

  describe('bodies', () => {
    it('A12 broken JSON is 400: invalid_request on OAuth routes, invalid_json elsewhere', async () => {
      const headers = { 'Content-Type': 'application/json' }
      for (const body of ['{', '{"a":1,}', 'nope', '{"a":"\u0001"}']) {
        const oauth = await place.post(`${API}/oauth/device/code`, { body, headers })
        expect([oauth.status, oauth.json.error], body).to.deep.equal([400, 'invalid_request'])
        const run = await place.post(`${API}/apps/${appId}/run`, { body, headers, token })
        expect([run.status, run.json.error], body).to.deep.equal([400, 'invalid_json'])
      }
    })

    it('A12 an array or a scalar where an object is needed is the validation status', async () => {
      for (const json of [[], [1], 'text', 7, true, null]) {
        const oauth = await place.post(`${API}/oauth/device/token`, { json })
        expect([oauth.status, oauth.json.error], JSON.stringify(json)).to.deep.equal([400, 'invalid_request'])
        const run = await place.post(`${API}/apps/${appId}/run`, { json, token })
        expect(run.status, JSON.stringify(json)).to.equal(422)
        const login = await place.post('/console/api/login', { json })
        expect(login.status, JSON.stringify(json)).to.equal(422)
      }
    })

    it('A12 a body of 2 MiB is 413, JSON or form', async () => {
      const big = 'x'.repeat(2 * 1024 * 1024)
      const json = await place.post(`${API}/oauth/device/code`, { json: { client_id: big } })
      expect([json.status, json.json.code]).to.deep.equal([413, 'payload_too_large'])
      const form = await place.post(`${API}/oauth/device/code`, { form: { client_id: big } })
      expect(form.status).to.equal(413)
      const run = await place.post(`${API}/apps/${appId}/run`, { json: { inputs: {}, query: big }, token })
      expect(run.status).to.equal(413)
    })

    it('A12 another media type with a body is 415, and only once the caller was admitted', async () => {
      const how = { body: '<a/>', headers: { 'Content-Type': 'application/xml' } }
      const open = await place.post(`${API}/oauth/device/code`, how)
      expect([open.status, open.json.code]).to.deep.equal([415, 'unsupported_media_type'])
      expect((await place.post(`${API}/apps/${appId}/run`, { ...how, token })).status).to.equal(415)
      expect((await place.post(`${API}/apps/${appId}/run`, how)).status).to.equal(401)
      expect((await place.post(`${API}/oauth/device/approve`, how)).status).to.equal(401)
      // A form is at home on the OAuth routes only.
      expect((await place.post(`${API}/apps/${appId}/run`, { form: { inputs: '{}' }, token })).status).to.equal(415)
    })

    it('A12 no body and no type is an empty object, whatever the length header says', async () => {
      const run = await place.post(`${API}/apps/${appId}/run`, { token })
      expect(run.status).to.equal(422)
      expect(run.json.details.map(({ loc }: { loc: string[] }) => loc)).to.deep.equal([['inputs']])
      const code = await place.post(`${API}/oauth/device/code`, { headers: { 'Content-Type': 'application/json' } })
      expect(code.json).to.deep.include({ error: 'invalid_request', error_description: 'client_id is required' })
    })

    it('A12 a body that ends before its length is 400, not a hang', async () => {
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const half = request(`${place.url}${API}/oauth/device/code`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' },
        })
        half.on('response', (reply) => resolve(reply.statusCode))
        half.on('error', reject)
        half.end('{"client_id":')
      })
      expect(status).to.equal(400)
    })
  })

  describe('bodies on a connection that is used again', () => {
    const answers = (port: number, ...parts: readonly (string | Buffer)[]) =>
      new Promise<string[]>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1')
        let text = ''
        socket.on('data', (part) => {
          text += part.toString('latin1')
        })
        socket.on('error', reject)
        socket.on('close', () => resolve(text.match(/HTTP\/1\.1 \d+/g) ?? []))
        for (const part of parts) socket.write(part)
        socket.write(`GET ${API}/_health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      })
    const POST = `POST ${API}/oauth/device/code HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`
    const portOf = () => Number(new URL(place.url).port)

    // A compressed body that unpacks beyond the limit used to leave the connection stuck, and garbage was a 500.
    it('A12 a compressed body is 415, a bomb or not, and the next request is answered', async () => {
      for (const body of [gzipSync('{}'), gzipSync(Buffer.alloc(64 * 1024 * 1024)), Buffer.from('no gzip')]) {
        const head = `${POST}Content-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`
        expect(await answers(portOf(), head, body)).to.deep.equal(['HTTP/1.1 415', 'HTTP/1.1 200'])
      }
    })

    it('A12 2 MiB without a length are 413, and the next request is answered', async () => {
      const size = 2 * 1024 * 1024
      const chunk = Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), Buffer.alloc(size, 'a')])
      const got = await answers(portOf(), `${POST}Transfer-Encoding: chunked\r\n\r\n`, chunk, '\r\n0\r\n\r\n')
      expect(got).to.deep.equal(['HTTP/1.1 413', 'HTTP/1.1 200'])
    })

    it('A12 bytes that are no UTF-8 are refused, not stored as something else', async () => {
      const body = Buffer.from('{"client_id":"latchkey","device_label":"a\xff"}', 'latin1')
      const got = await answers(portOf(), `${POST}Content-Length: ${body.length}\r\n\r\n`, body)
      expect(got).to.deep.equal(['HTTP/1.1 400', 'HTTP/1.1 200'])
    })
  })

  describe('hostile text', () => {
    const IDS = [
      '%00',
      'a%2Fb',
      '..%2F..%2Fetc',
      '%01',
      '%zz',
      '%',
      '%E0%A4%A',
      '%ED%A0%80',
      'null',
      '0',
      '%F0%9F%92%A9',
    ]
    const BY_ID: readonly (readonly [string, (id: string) => string, string])[] = [
      ['GET', (id) => `${API}/apps/${id}/describe`, 'app not found'],
      ['POST', (id) => `${API}/apps/${id}/run`, 'app not found'],
      ['GET', (id) => `${API}/workspaces/${id}`, 'workspace not found'],
      ['DELETE', (id) => `${API}/account/sessions/${id}`, 'session not found'],
    ]
    for (const [method, pathOf, message] of BY_ID) {
      it(`A15 an id that is none is the 404 of ${method} ${pathOf(':id')}`, async () => {
        const body = method === 'POST' ? { json: { inputs: {}, query: 'hi' } } : {}
        const unknown = await place.send(method, pathOf(newId()), { token, ...body })
        expect([unknown.status, unknown.json.message]).to.deep.equal([404, message])
        for (const id of IDS) {
          const reply = await place.send(method, pathOf(id), { token, ...body })
          expect(reply.status, id).to.equal(404)
          expect(reply.text, id).to.equal(unknown.text)
        }
      })
    }

    const BAD = ['\u0000', 'a\u0000b', '\ud800', 'x\udc00y']
    const BAD_QUERY = ['%00', 'a%00b', '%ED%A0%80', 'x%ff']
    const QUERIES: readonly (readonly [path: string, status: number])[] = [
      [`${API}/account/sessions?page=`, 422],
      [`${API}/apps?workspace_id=WS&name=`, 422],
      [`${API}/apps?workspace_id=WS&tag=`, 422],
      [`${API}/apps?workspace_id=WS&unknown=`, 422],
      [`${API}/apps?workspace_id=`, 422],
      [`${API}/apps/APP/describe?fields=`, 422],
      [`${API}/oauth/device/lookup?user_code=`, 400],
    ]
    for (const [path, status] of QUERIES) {
      it(`A15 NUL and broken text in ${path} are ${status}`, async () => {
        const whole = path.replace('WS', place.owner.workspaceId).replace('APP', appId)
        for (const bad of BAD_QUERY) expect((await place.get(whole + bad, { token })).status, bad).to.equal(status)
      })
    }

    it('A15 NUL and lone surrogates in any string of a body are the validation status', async () => {
      for (const bad of BAD) {
        const run = (json: unknown) => place.post(`${API}/apps/${appId}/run`, { json, token })
        for (const json of [
          { inputs: {}, query: bad },
          { inputs: { a: bad }, query: 'hi' },
          { inputs: { [bad]: 1 }, query: 'hi' },
          { inputs: { a: [{ b: bad }] }, query: 'hi' },
          { inputs: {}, query: 'hi', user: bad },
        ]) {
          expect((await run(json)).status, JSON.stringify(json)).to.equal(422)
        }
        for (const json of [
          { client_id: bad, device_label: 'laptop' },
          { client_id: 'difyctl', device_label: bad },
          { client_id: 'difyctl', device_label: 'laptop', extra: bad },
        ]) {
          const code = await place.post(`${API}/oauth/device/code`, { json })
          expect([code.status, code.json.error], JSON.stringify(json)).to.deep.equal([400, 'invalid_request'])
        }
        expect((await place.post('/console/api/login', { json: { email: bad, password: 'x' } })).status).to.equal(422)
      }
    })

    it('A15 NUL and broken text in a form are 400', async () => {
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
      for (const bad of BAD_QUERY) {
        const body = `client_id=difyctl&device_label=${bad}`
        const reply = await place.post(`${API}/oauth/device/code`, { body, headers })
        expect([reply.status, reply.json.error], bad).to.deep.equal([400, 'invalid_request'])
      }
    })

    it('A15 ten thousand levels of nesting are an answer, not a crash', async () => {
      const levels = 10_000
      for (const deep of ['['.repeat(levels) + ']'.repeat(levels), `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`]) {
        const body = `{"query":"hi","inputs":{"a":${deep}}}`
        const headers = { 'Content-Type': 'application/json' }
        const reply = await place.post(`${API}/apps/${appId}/run`, { body, headers, token })
        expect(reply.status).to.be.oneOf([200, 400, 422])
      }
    })
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
