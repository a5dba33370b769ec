import { expect } from 'chai'
import { OAuth2Server } from 'oauth2-mock-server'
import sinon from 'sinon'
import { DomainError } from '#domain/errors.ts'
import { type Enterprise, openEnterprise } from '#src/enterprise.ts'
import { aKey, CLIENT, type OidcDouble, openOidcDouble } from '../support/oidc-double.ts'
import { aBridge } from '../support/policy.ts'
import { API, aPlace, type Place } from './place.ts'

const ORIGIN = 'https://latchkey.example'
const DEVICE = `${API}/oauth/device`
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

describe('signing on at an OpenID provider', () => {
  let key: Awaited<ReturnType<typeof aKey>>
  let place: Place
  let enterprise: Enterprise | null = null
  before(async () => {
    key = await aKey('first')
  })
  afterEach(async () => {
    await enterprise?.close()
    enterprise = null
    await place.close()
  })

  /** A server whose provider is at `issuer`; its clock is the provider's. */
  async function open(issuer: string): Promise<void> {
    place = await aPlace({
      settings: { consoleApiUrl: ORIGIN },
      async change(ports, { timer }) {
        const settings = { ...CLIENT, issuer, scope: 'openid email', groupsClaim: 'groups' }
        enterprise = await openEnterprise(
          { kind: 'oidc', ...settings },
          { ...ports, now: Date.now, timer, consoleApiUrl: ORIGIN },
        )
        return { ...ports, bridge: enterprise.bridge, policy: enterprise.policy }
      },
    })
  }

  const get = (path: string, cookie: string) =>
    fetch(`${place.url}${path}`, { redirect: 'manual', headers: { cookie, accept: 'text/html' } })
  const locationOf = (response: Response) => response.headers.get('location') ?? ''
  const cookieOf = (response: Response, name: string) =>
    response.headers
      .getSetCookie()
      .find((one) => one.startsWith(`${name}=`))
      ?.split(';')[0] ?? ''

  /** Goes the whole way as a browser does; `atProvider` signs in there and gives the query that it sends back. */
  async function signOn(atProvider: (url: string) => Promise<URLSearchParams> | URLSearchParams) {
    const { userCode, deviceCode } = await place.startFlow()
    const initiated = await get(`${DEVICE}/sso-initiate?user_code=${userCode}`, '')
    expect(initiated.status).to.equal(302)
    const browser = cookieOf(initiated, 'device_sso_browser')
    const query = await atProvider(locationOf(initiated))
    const returned = await get(`${DEVICE}/sso-callback?${query}`, browser)
    return { userCode, deviceCode, browser, query, returned, grant: cookieOf(returned, 'device_approval_grant') }
  }

  async function tokenOf({ userCode, deviceCode, grant }: Awaited<ReturnType<typeof signOn>>): Promise<string> {
    const context = await place.get(`${DEVICE}/approval-context`, { headers: { cookie: grant } })
    const headers = { cookie: grant, 'X-CSRF-Token': context.json.csrf_token }
    const approved = await place.post(`${DEVICE}/approve-external`, { headers, json: { user_code: userCode } })
    expect(approved.status, approved.text).to.equal(200)
    const json = { client_id: 'difyctl', device_code: deviceCode }
    return (await place.post(`${DEVICE}/token`, { json })).json.token
  }

  describe('a scripted one', () => {
    let provider: OidcDouble
    beforeEach(async () => {
      provider = await openOidcDouble(key)
      await open(provider.issuer)
    })
    afterEach(() => provider.close())

    const notice = (overrides: Record<string, unknown> = {}) => {
      const iat = Math.floor(Date.now() / 1000)
      const claims = { iss: provider.issuer, aud: CLIENT.clientId, iat, exp: iat + 120, sub: 'person-1', jti: 'n-1' }
      return provider.sign({ ...claims, events: { [EVENT]: {} }, ...overrides })
    }
    const logOut = async (logout_token: string) =>
      place.post(`${DEVICE}/backchannel-logout`, { form: { logout_token } })

    it('F12 the terminal gets a token in the name that the provider gave', async () => {
      const token = await tokenOf(await signOn((url) => provider.signIn(url)))
      expect(token).to.match(/^dfoe_/)
      const { json } = await place.get(`${API}/account`, { token })
      expect(json).to.include({ subject_email: 'eve@company.example', subject_issuer: provider.issuer })
    })

    // Login CSRF: the attacker signs on, and has the victim's browser come back with it.
    it('F05 the callback is of no use in another browser, nor twice', async () => {
      const done = await signOn((url) => provider.signIn(url))
      expect(locationOf(done.returned)).to.equal('/device?sso_verified=1')
      const begun = await signOn((url) => new URLSearchParams({ state: new URL(url).searchParams.get('state') ?? '' }))
      const query = new URLSearchParams(done.query)
      for (const [why, cookie] of [
        ['no cookie', ''],
        ['another browser', begun.browser],
        ['again', done.browser],
      ] as const) {
        const refused = await get(`${DEVICE}/sso-callback?${query}`, cookie)
        expect(locationOf(refused), why).to.equal('/device?sso_error=sso_failed')
        expect(cookieOf(refused, 'device_approval_grant'), why).to.equal('')
      }
    })

    it('F13 a provider that is away sends nobody on, and says so in one line of the log', async () => {
      provider.told.answers = { '/.well-known/openid-configuration': 'hang up' }
      const { userCode } = await place.startFlow()
      const refused = await place.get(`${DEVICE}/sso-initiate?user_code=${userCode}`)
      expect([refused.status, refused.json.error]).to.deep.equal([502, 'sso_initiate_failed'])
      expect(place.logLines.filter(({ level }) => level === 'error')).to.have.length(1)
    })

    it('F13 a provider that fails at the last step leads to a page, and to one line of the log', async () => {
      provider.told.answers = { '/token': { status: 500, body: {} } }
      const { returned, grant } = await signOn((url) => provider.signIn(url))
      expect([locationOf(returned), grant]).to.deep.equal(['/device?sso_error=sso_failed', ''])
      expect(place.logLines.filter(({ level }) => level === 'error')).to.have.length(1)
    })

    // Whoever set out once could otherwise have the provider shut us out, for guessing codes.
    it('the callback is not a way to make this server ask the provider without end', async () => {
      const { browser, query } = await signOn((url) => provider.signIn(url))
      query.set('code', 'guessed')
      const asked = provider.count('/token')
      const statuses: number[] = []
      for (let time = 0; time < 65; time += 1) {
        statuses.push((await get(`${DEVICE}/sso-callback?${query}`, browser)).status)
      }
      expect(statuses.filter((status) => status === 429)).to.have.length(6)
      expect(provider.count('/token') - asked).to.equal(59)
    })

    it('whoever signs out at the provider is signed out here, at the next request', async () => {
      const token = await tokenOf(await signOn((url) => provider.signIn(url)))
      const { status, headers } = await logOut(await notice())
      expect([status, headers.get('cache-control')]).to.deep.equal([200, 'no-store'])
      expect((await place.get(`${API}/account`, { token })).status).to.equal(401)
      const rows = await place.edit.auditRows('oauth.token_revoked')
      expect(rows.map(({ facts }) => facts.reason)).to.deep.equal(['backchannel_logout'])
    })

    it('a notice counts once, and signs nobody else out', async () => {
      await tokenOf(await signOn((url) => provider.signIn(url)))
      expect((await logOut(await notice())).status).to.equal(200)
      const token = await tokenOf(await signOn((url) => provider.signIn(url)))
      const replayed = await logOut(await notice())
      expect([replayed.status, replayed.json.error]).to.deep.equal([400, 'invalid_request'])
      expect((await logOut(await notice({ sub: 'person-2', jti: 'n-2' }))).status).to.equal(200)
      expect((await place.get(`${API}/account`, { token })).status).to.equal(200)
    })

    // The provider tells once or again, and a person who signed out must not stay signed in for a fault of ours.
    it('security: a notice that could not be carried out can be sent again', async () => {
      const token = await tokenOf(await signOn((url) => provider.signIn(url)))
      const away = sinon.stub(place.ports.externals, 'revokeTokens').rejects(new DomainError('service_unavailable', {}))
      try {
        expect((await logOut(await notice())).status).to.equal(503)
      } finally {
        away.restore()
      }
      expect((await logOut(await notice())).status).to.equal(200)
      expect((await place.get(`${API}/account`, { token })).status).to.equal(401)
      expect((await logOut(await notice())).status).to.equal(400)
    })

    // Whoever is not signed in could fill the disk with lines, or, were there a limit, keep people signed in.
    it('security: junk in place of notices writes a line or two, and keeps no true one from being heard', async () => {
      const token = await tokenOf(await signOn((url) => provider.signIn(url)))
      const linesBefore = place.logLines.length
      for (let time = 0; time < 120; time += 1) {
        expect((await logOut(time % 2 === 0 ? `junk-${time}` : `${await notice()}x`)).status).to.equal(400)
      }
      expect(place.logLines.slice(linesBefore)).to.have.length(2)
      expect((await logOut(await notice())).status).to.equal(200)
      expect((await place.get(`${API}/account`, { token })).status).to.equal(401)
    })

    it('a notice that is none is refused without a reason, and changes nothing', async () => {
      const token = await tokenOf(await signOn((url) => provider.signIn(url)))
      const texts = [
        await notice({ nonce: 'n' }),
        await notice({ aud: 'other' }),
        `${(await notice()).split('.').slice(0, 2).join('.')}.AAAA`,
        'x',
      ]
      const answers = await Promise.all(texts.map(logOut))
      const told = answers.map(({ status, json }) => [status, json.error, json.error_description])
      for (const one of told) expect(one).to.deep.equal([400, 'invalid_request', 'logout_token is not valid'])
      expect((await place.get(`${API}/account`, { token })).status).to.equal(200)
      expect((await place.post(`${DEVICE}/backchannel-logout`, { form: {} })).status).to.equal(400)
    })
  })

  it('nobody takes notices where a service signs people on, or nobody does', async () => {
    const form = { logout_token: 'a.b.c' }
    for (const bridge of [aBridge(), null]) {
      place = await aPlace({ change: (ports) => ({ ...ports, bridge }) })
      expect((await place.post(`${DEVICE}/backchannel-logout`, { form })).status).to.equal(404)
      if (bridge !== null) await place.close()
    }
  })

  // Another implementation than the double's and the browser test's, by other people.
  it('F12 oauth2-mock-server vouches for a person just as well', async () => {
    const provider = new OAuth2Server()
    await provider.issuer.keys.generate('RS256')
    await provider.start(0, '127.0.0.1')
    try {
      provider.service.on('beforeTokenSigning', ({ payload }) => {
        Object.assign(payload, { email: 'joe@company.example', email_verified: true })
      })
      await open(provider.issuer.url ?? '')
      const done = await signOn(async (url) => {
        const page = await fetch(url, { redirect: 'manual' })
        return new URL(locationOf(page)).searchParams
      })
      const { json } = await place.get(`${API}/account`, { token: await tokenOf(done) })
      expect(json).to.include({ subject_email: 'joe@company.example', subject_issuer: provider.issuer.url })
    } finally {
      await provider.stop()
    }
  })
})
