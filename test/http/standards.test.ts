import { expect } from 'chai'
import sinon from 'sinon'
import { OWNER } from '../support/world.ts'
import { flowOf, said } from './flow.ts'
import { API, aPlace, mintOwn, type Place } from './place.ts'

// What docs/standards.md promises and no other suite shows.
describe('standards', () => {
  let place: Place
  let flow: ReturnType<typeof flowOf>
  async function open(options: Parameters<typeof aPlace>[0] = {}): Promise<void> {
    place = await aPlace(options)
    flow = flowOf(place)
  }
  afterEach(async () => {
    sinon.restore()
    await place.close()
  })

  it('RFC 6749 §3.2: tokens and codes are asked for by POST alone', async () => {
    await open()
    for (const path of ['/oauth/device/code', '/oauth/device/token', '/oauth/revoke', '/oauth/introspect']) {
      for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
        const reply = await place.send(method, `${API}${path}?client_id=difyctl&device_code=x`)
        expect([reply.status, reply.headers.get('allow')], `${method} ${path}`).to.deep.equal([405, 'POST'])
      }
    }
  })

  // RFC 6750 §2.3 and RFC 9700 §4.3.2: addresses end up in logs, histories and Referer headers.
  it('RFC 6750 §2: a token counts in the Authorization header and nowhere else', async () => {
    await open()
    const token = await mintOwn(place)
    for (const reply of [
      await place.get(`${API}/account?access_token=${token}&token=${token}`),
      await place.post(`${API}/oauth/introspect`, { form: { token, access_token: token } }),
      await place.get(`${API}/account`, { headers: { Cookie: `access_token=${token}` } }),
      await place.get(`${API}/account`, { headers: { 'X-Access-Token': token } }),
    ]) {
      expect(said(reply)).to.equal('401 bearer_required')
    }
  })

  it('RFC 6749 §5.2: every refusal on the way to a token is plain ASCII, without quotes and backslashes', async () => {
    await open()
    const { deviceCode } = await place.startFlow()
    await flow.poll(deviceCode)
    const refusals = [
      await flow.code({ client_id: '"\\ü', device_label: 'x' }),
      await flow.code({ client_id: 'difyctl', device_label: '"\\ü\n' }),
      await flow.code({ client_id: 'difyctl', '"\\ü': 1, device_label: 7 }),
      await place.post(`${API}/oauth/device/code`, { form: 'client_id=difyctl&%22%5C%C3%BC=1&%22%5C%C3%BC=2' }),
      await place.post(`${API}/oauth/device/code`, { form: `${'x'.repeat(9999)}=1&${'x'.repeat(9999)}=2` }),
      await flow.poll(deviceCode),
      await flow.poll('"\\ü'),
      await place.post(`${API}/oauth/device/token`, { json: { grant_type: '"\\ü', device_code: 'x', client_id: 'x' } }),
      await place.post(`${API}/oauth/device/token`, { body: '{"', headers: { 'Content-Type': 'application/json' } }),
    ]
    for (const { status, json } of refusals) {
      expect(status).to.equal(400)
      expect(json.error).to.match(/^[a-z_]+$/)
      expect(json.error_description ?? '').to.have.length.below(201)
      expect(json.error_description ?? '').to.match(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/)
    }
  })

  it('RFC 8628 §5.1: who guessed sixty codes is refused the right one too', async () => {
    await open()
    const { userCode } = await place.startFlow()
    for (let guess = 0; guess < 60; guess++)
      expect((await flow.lookUp(`AAAA-AA${guess % 7 === 0 ? '' : 'AA'}`)).status).to.equal(200)
    const right = await flow.lookUp(userCode)
    expect(said(right)).to.equal('429 rate_limited')
    expect(right.text).to.not.contain('valid')
  })

  // A fault at the pick-up must not cost the person the login: everything that can fail stands before the claim.
  for (const [what, breakIt] of [
    ['the account', () => sinon.stub(place.ports.accounts, 'find').rejects(new Error('down'))],
    ['the row', () => sinon.stub(place.ports.tokens, 'findByHash').rejects(new Error('down'))],
    ['the memberships', () => sinon.stub(place.ports.memberships, 'list').rejects(new Error('down'))],
  ] as const) {
    it(`RFC 8628 §3.5: a poll that cannot read ${what} leaves the token to be picked up`, async () => {
      await open()
      const { deviceCode, userCode } = await place.startFlow()
      await flow.decide('approve', userCode, await place.signIn())
      const broken = breakIt()
      expect((await flow.poll(deviceCode)).status).to.equal(500)
      broken.restore()
      expect((await flow.poll(deviceCode)).json.token).to.match(/^dfoa_/)
    })
  }

  it('RFC 9110 §9.3.2: HEAD is GET without its body', async () => {
    await open()
    const token = await mintOwn(place)
    const headers = { Authorization: `Bearer ${token}` }
    for (const path of ['/_health', '/account', '/nothing']) {
      const head = await fetch(place.url + API + path, { method: 'HEAD', headers })
      const get = await fetch(place.url + API + path, { headers })
      expect([head.status, await head.text()], path).to.deep.equal([get.status, ''])
      for (const name of ['content-type', 'cache-control', 'content-length']) {
        expect(head.headers.get(name), `${name} of ${path}`).to.equal(get.headers.get(name))
      }
    }
  })

  // RFC 9700 §2.6: an allow-listed origin may call the API with a bearer; it must never read or post the pages.
  it('RFC 9700 §2.6: no page and no console route answers another origin, an allowed one of the API included', async () => {
    const origin = 'https://app.example'
    await open({ corsOrigins: [origin] })
    const { headers } = await place.signIn()
    const sent = { ...headers, Origin: origin }
    for (const path of [
      '/device',
      '/signin',
      '/device/sessions',
      '/console/api/account/profile',
      '/console/api/setup',
    ]) {
      const reply = await place.get(path, { headers: sent })
      expect(reply.headers.has('access-control-allow-origin'), path).to.equal(false)
      const asked = await place.send('OPTIONS', path, { headers: { ...sent, 'Access-Control-Request-Method': 'POST' } })
      expect(asked.headers.has('access-control-allow-origin'), path).to.equal(false)
    }
    expect((await place.get(`${API}/_health`, { headers: sent })).headers.get('access-control-allow-origin')).to.equal(
      origin,
    )
  })

  // Whoever knows one password must not get five more guesses at it with every sign-in.
  it('ASVS 6.3.1: a sign-in that succeeds does not wipe out the failures before it', async () => {
    await open()
    const login = (password: string) => place.post('/console/api/login', { json: { email: OWNER.email, password } })
    for (let failure = 0; failure < 4; failure++) expect((await login('wrong horse 2')).status).to.equal(401)
    expect((await login(OWNER.password)).status).to.equal(200)
    expect((await login('wrong horse 2')).status).to.equal(401)
    expect((await login('wrong horse 2')).status).to.equal(429)
  })

  it('ASVS 7.4.5: what one sign-in minted is found by its audit row and ended by an operator', async () => {
    await open()
    const { token } = await place.login({ label: 'phished' })
    const kept = await place.login({ label: 'mine' })
    const rows = await place.edit.auditRows('oauth.device_flow_approved')
    const row = rows.find(({ facts }) => facts.device_label === 'phished')
    const owner = { type: 'account', accountId: String(row?.facts.account_id), email: OWNER.email } as const
    await place.cases.revokeSession(owner, String(row?.facts.token_id))
    expect(said(await place.get(`${API}/account`, { token }))).to.equal('401 invalid_bearer')
    expect((await place.get(`${API}/account`, { token: kept.token })).status).to.equal(200)
  })
})
