import { request } from 'node:http'
import { expect } from 'chai'
import sinon from 'sinon'
import { DomainError } from '#domain/errors.ts'
import type { Send } from '../support/world.ts'
import { flowOf, said } from './flow.ts'
import { API, aPlace, mintOwn, type Place } from './place.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

describe('device flow rules', () => {
  let place: Place
  let flow: ReturnType<typeof flowOf>

  beforeEach(async () => {
    place = await aPlace({ settings: { decidePerHour: 0 } })
    flow = flowOf(place)
  })
  afterEach(async () => {
    sinon.restore()
    await place.close()
  })

  it('E15 with the database down an approve is 503, and the code is still pending', async () => {
    const down = sinon.stub(place.ports.tokens, 'mint').rejects(new DomainError('service_unavailable', {}))
    const browser = await place.signIn()
    const { deviceCode, userCode } = await place.startFlow()
    const reply = await flow.decide('approve', userCode, browser)
    expect(said(reply)).to.equal('503 service_unavailable')
    expect(reply.headers.get('retry-after')).to.equal('5')
    expect((await flow.lookUp(userCode)).json.valid).to.equal(true)
    expect(said(await flow.poll(deviceCode))).to.equal('400 authorization_pending')
    expect(await place.edit.auditRows('oauth.device_flow_approved')).to.have.length(0)
    down.restore()
    expect(said(await flow.decide('approve', userCode, browser))).to.equal('200 approved')
    expect((await flow.poll(deviceCode)).status).to.equal(200)
  })

  it('E26 a hostile Host changes no URL in any answer', async () => {
    const { userCode } = await place.startFlow()
    const asks: readonly (readonly [method: string, path: string, how?: Send])[] = [
      ['POST', `${API}/oauth/device/code`, { json: { client_id: 'difyctl', device_label: 'laptop' } }],
      ['GET', `${API}/oauth/device/lookup?user_code=${userCode}`],
      ['GET', `${API}/.well-known/oauth-authorization-server`],
      ['GET', '/.well-known/oauth-authorization-server/openapi/v1'],
      ['GET', `${API}/openapi.json`],
      ['GET', `${API}/account`],
      ['GET', '/'],
      ['GET', '/device'],
      ['GET', '/signin'],
      ['GET', '/nothing'],
    ]
    for (const [method, path, how] of asks) {
      for (const headers of [
        { Host: 'evil.example' },
        { 'X-Forwarded-Host': 'evil.example', Forwarded: 'host=evil.example' },
      ]) {
        const seen = await rawAnswer(place, method, path, headers, how)
        expect(seen, path).to.not.contain('evil.example')
      }
    }
  })

  it('E27 X-Forwarded-For and Forwarded are ignored unless the peer is trusted', async () => {
    const browser = await place.signIn()
    const seenFrom = async (where: Place, headers: Record<string, string>) => {
      const { json } = await flowOf(where).code(undefined, headers)
      const signedIn = where === place ? browser : await where.signIn()
      return (await flowOf(where).lookUp(json.user_code, signedIn.headers)).json.created_ip
    }
    expect(await seenFrom(place, { 'X-Forwarded-For': '203.0.113.9' })).to.equal('127.0.0.1')
    expect(await seenFrom(place, { Forwarded: 'for=203.0.113.9' })).to.equal('127.0.0.1')

    const behind = await aPlace({ trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] })
    try {
      const cases: readonly (readonly [Record<string, string>, string])[] = [
        [{ 'X-Forwarded-For': '203.0.113.9' }, '203.0.113.9'],
        // Left of the first untrusted hop stands whatever the client wrote.
        [{ 'X-Forwarded-For': '1.2.3.4, 203.0.113.9, 10.1.1.1' }, '203.0.113.9'],
        [{ 'X-Forwarded-For': '::ffff:203.0.113.9' }, '203.0.113.9'],
        [{ Forwarded: 'for=1.2.3.4, for="[2001:db8::1]:4711";proto=https' }, '2001:db8::1'],
        [{ 'X-Forwarded-For': 'nonsense' }, '127.0.0.1'],
        [{}, '127.0.0.1'],
      ]
      for (const [headers, ip] of cases) expect(await seenFrom(behind, headers), JSON.stringify(headers)).to.equal(ip)
    } finally {
      await behind.close()
    }
  })

  it('E28b an empty parameter counts as absent, a repeated one is 400, an unknown one is ignored', async () => {
    const code = (form: string) => place.post(`${API}/oauth/device/code`, { form })
    const started = await code('client_id=difyctl&device_label=&scope=openid&unknown=1')
    expect(started.status).to.equal(200)
    expect(said(await code('client_id=&device_label=laptop'))).to.equal('400 invalid_request')
    expect(said(await code('client_id=difyctl&client_id=difyctl'))).to.equal('400 invalid_request')
    const repeated = await code('client_id=difyctl&scope=a&scope=b')
    expect([said(repeated), repeated.json.error_description]).to.deep.equal([
      '400 invalid_request',
      'scope must not be repeated',
    ])
    const token = (form: string) => place.post(`${API}/oauth/device/token`, { form })
    const known = `client_id=difyctl&device_code=${started.json.device_code}`
    expect(said(await token(`${known}&grant_type=`))).to.equal('400 authorization_pending')
    expect(said(await token(`${known}&grant_type=${encodeURIComponent(GRANT)}&x=1`))).to.equal('400 slow_down')
    expect(said(await token(`${known}&device_code=other`))).to.equal('400 invalid_request')
  })

  it('E28b a form without a label gets one of its own, so that two installs never share a row', async () => {
    const browser = await place.signIn()
    const labels = []
    for (let install = 0; install < 2; install++) {
      const headers = { 'User-Agent': `agent/1 ${'x'.repeat(300)}` }
      const { json } = await place.post(`${API}/oauth/device/code`, { form: 'client_id=difyctl', headers })
      labels.push((await flow.lookUp(json.user_code, browser.headers)).json.device_label)
    }
    for (const label of labels) expect(label).to.match(/^agent\/1 x{232} #[A-Z3-9]{4}$/)
    expect(labels[0]).to.not.equal(labels[1])
  })

  it('E28b the metadata is at both paths, with the exact issuer and the grant', async () => {
    const issuer = `${place.url}${API}`
    const within = await place.get(`${API}/.well-known/oauth-authorization-server`)
    // RFC 8414 §3.1 puts the well-known part before the issuer's path.
    const before = await place.get(`/.well-known/oauth-authorization-server${API}`)
    for (const reply of [within, before]) {
      expect(reply.status).to.equal(200)
      expect(reply.json).to.deep.include({
        issuer,
        device_authorization_endpoint: `${issuer}/oauth/device/code`,
        token_endpoint: `${issuer}/oauth/device/token`,
      })
      expect(reply.json.grant_types_supported).to.include(GRANT)
    }
    expect(before.text).to.equal(within.text)
  })

  it('E28b the poll route never says 429 and never challenges', async () => {
    const { deviceCode } = await place.startFlow()
    for (let call = 0; call < 200; call++) {
      const reply = await flow.poll(call % 2 === 0 ? deviceCode : `dc_${call}`)
      expect(reply.status).to.equal(400)
      expect(reply.headers.has('www-authenticate')).to.equal(false)
    }
  })

  it('E28b the scope of a token is a string', async () => {
    const { deviceCode, userCode } = await place.startFlow()
    await flow.decide('approve', userCode, await place.signIn())
    expect((await flow.poll(deviceCode)).json.scope).to.equal('full')
  })

  it('E22 a bearer never signs in where a browser decides', async () => {
    const token = await mintOwn(place)
    const { userCode } = await place.startFlow()
    for (const word of ['approve', 'deny'] as const) {
      const reply = await place.post(`${API}/oauth/device/${word}`, { token, json: { user_code: userCode } })
      expect(said(reply)).to.equal('401 unauthorized')
      expect(reply.headers.has('www-authenticate')).to.equal(false)
    }
    expect((await flow.lookUp(userCode)).json.valid).to.equal(true)
  })
})

/** Status line, headers and body as they came, with any Host header, which fetch would not send. */
function rawAnswer(
  place: Place,
  method: string,
  path: string,
  headers: Record<string, string>,
  how: Send = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const body = how.json === undefined ? '' : JSON.stringify(how.json)
    const ask = request(place.url + path, {
      method,
      headers: { ...headers, ...(body === '' ? {} : { 'Content-Type': 'application/json' }) },
    })
    ask.on('response', (reply) => {
      let text = JSON.stringify(reply.rawHeaders)
      reply.setEncoding('utf8')
      reply.on('data', (chunk: string) => {
        text += chunk
      })
      reply.on('end', () => resolve(text))
    })
    ask.on('error', reject)
    ask.end(body)
  })
}
