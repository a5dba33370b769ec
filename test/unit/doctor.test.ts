import { expect } from 'chai'
import { checkModel } from '#src/doctor/check-models.ts'
import { checkPublicUrls } from '#src/doctor/check-public-urls.ts'
import { checkSignOn } from '#src/doctor/check-sign-on.ts'
import { clockFinding } from '#src/doctor/clock-skew.ts'
import { type Finding, reasonOf } from '#src/doctor/finding.ts'
import { examine } from '#src/doctor.ts'
import { type ApiDouble, openApiDouble } from '../support/api-double.ts'
import { fakeClock } from '../support/clock.ts'

const KEY = 'sk-not-to-be-printed'
const OURS = { host: '127.0.0.1', consoleApiUrl: null, consoleWebUrl: null, cookieDomain: null, trustedProxies: [] }
const NOBODY = 'https://127.0.0.1:1'

const statusOf = (findings: readonly Finding[], check: string) =>
  findings.filter((one) => one.check === check).map(({ status }) => status)

describe('latchkey doctor', () => {
  describe('clocks', () => {
    const CASES: readonly [title: string, theirsMs: number, status: string][] = [
      ['read while the answer was on its way is no skew', 100_050, 'ok'],
      ['two seconds ahead go unnoticed', 102_100, 'ok'],
      ['five seconds ahead are told', 105_100, 'warn'],
      ['five seconds behind are told', 95_000, 'warn'],
      ['a minute behind fails', 40_000, 'fail'],
      ['a minute ahead fails', 160_100, 'fail'],
    ]
    for (const [title, theirsMs, status] of CASES) {
      it(title, () => {
        const found = clockFinding('database', theirsMs, 100_000, 100_100)
        expect(found).to.deep.include({ check: 'database clock', status })
        expect(found.fix === null).to.equal(status === 'ok')
      })
    }

    it('says which way and how far', () => {
      expect(clockFinding('redis', 95_000, 100_000, 100_000).what).to.equal('5.0 s behind this machine')
      expect(clockFinding('redis', 107_500, 100_000, 100_000).what).to.equal('7.5 s ahead of this machine')
    })
  })

  describe('models', () => {
    let endpoint: ApiDouble
    beforeEach(async () => {
      endpoint = await openApiDouble()
    })
    afterEach(() => endpoint.close())

    const SET_BY = { address: 'MODEL_BASE_URL', key: 'MODEL_API_KEY', model: 'MODEL_NAME' }
    const look = (model: string | null = 'good', given: { url?: string; key?: string } = {}) =>
      checkModel({ called: 'X', url: `${endpoint.url}/v1/`, key: KEY, model, setBy: SET_BY, ...given })

    it('passes an endpoint that takes the key and has the model, and asks it for nothing that costs', async () => {
      endpoint.on('GET /v1/models', { json: { data: [{ id: 'good' }, { id: 'other' }] } })
      expect(await look()).to.deep.include({ check: 'model X', status: 'ok' })
      expect(endpoint.heard.map(({ method, path, authorization }) => [method, path, authorization])).to.deep.equal([
        ['GET', '/v1/models', `Bearer ${KEY}`],
      ])
    })

    const REFUSALS: readonly [title: string, status: number, json: unknown, expected: string][] = [
      ['a wrong key fails', 401, { error: { message: `bad key ${KEY}` } }, 'fail'],
      ['a key without rights fails', 403, {}, 'fail'],
      ['an endpoint that is broken fails', 500, {}, 'fail'],
      ['a model that is not in the list fails', 200, { data: [{ id: 'other' }] }, 'fail'],
      ['an endpoint without a list is told, not failed', 404, {}, 'warn'],
      ['a list in another form is told, not failed', 200, { data: 'none' }, 'warn'],
    ]
    for (const [title, status, json, expected] of REFUSALS) {
      it(`${title}, and the key is not printed`, async () => {
        endpoint.on('GET /v1/models', { status, json })
        const found = await look()
        expect(found.status).to.equal(expected)
        expect(found.fix).to.be.a('string')
        expect(JSON.stringify(found)).to.not.contain(KEY)
      })
    }

    it('sends the key nowhere else: a redirect is not followed', async () => {
      const other = await openApiDouble()
      try {
        endpoint.on('GET /v1/models', { status: 302, headers: { Location: `${other.url}/v1/models` } })
        expect((await look()).status).to.equal('warn')
        expect(other.heard).to.deep.equal([])
      } finally {
        await other.close()
      }
    })

    it('takes the control characters out of names that an endpoint gives', async () => {
      endpoint.on('GET /v1/models', { json: { data: [{ id: '\u001b[2Jevil' }] } })
      expect((await look()).fix)
        .to.match(/\[2Jevil$/)
        .and.not.contain('\u001b')
    })

    // Node’s words for these quote the address with its password, and the key.
    it('security: says in words of ours why a request cannot be sent, and quotes neither address nor key', async () => {
      for (const [given, what, setBy] of [
        [{ url: 'http://127.0.0.1:6000/v1' }, /^cannot be reached: its address has a port /, 'MODEL_BASE_URL'],
        [
          { url: 'http://u:sesame@127.0.0.1:8080/v1' },
          /^cannot be reached: its address has a user name or a password/,
          'MODEL_BASE_URL',
        ],
        [{ key: 'sk-sesame\n' + 'x' }, /^has a key with a character /, 'MODEL_API_KEY'],
        [{ key: 'sk-sesame→' }, /^has a key with a character /, 'MODEL_API_KEY'],
      ] as const) {
        const found = await look('good', given)
        expect(found.status).to.equal('fail')
        expect(found.what).to.match(what)
        expect(found.fix).to.contain(setBy)
        expect(JSON.stringify(found)).to.not.contain('sesame')
      }
    })

    it('says that an endpoint is not there', async () => {
      await endpoint.close()
      expect(await look()).to.deep.include({ status: 'fail', what: 'cannot be reached: ECONNREFUSED' })
      endpoint = await openApiDouble()
    })
  })

  describe('public origins', () => {
    it('fails an origin at which something else answers', async () => {
      const other = await openApiDouble()
      try {
        const found = await checkPublicUrls({ ...OURS, consoleApiUrl: other.url, consoleWebUrl: other.url }, '1.0.0')
        expect(statusOf(found, 'CONSOLE_API_URL')).to.deep.equal(['fail'])
        expect(statusOf(found, 'CONSOLE_WEB_URL')).to.deep.equal(['fail'])
      } finally {
        await other.close()
      }
    })

    it('fails a server that calls itself otherwise, and tells one of another version', async () => {
      const other = await openApiDouble()
      const document = 'GET /.well-known/oauth-authorization-server'
      try {
        other.on('GET /_version', { json: { version: '0.9.0' } })
        other.on(document, { json: { issuer: 'https://other.example/openapi/v1' } })
        const look = () => checkPublicUrls({ ...OURS, consoleApiUrl: other.url }, '1.0.0')
        expect(statusOf(await look(), 'CONSOLE_API_URL')).to.deep.equal(['fail'])
        other.on(document, { json: { issuer: `${other.url}/openapi/v1` } })
        expect(statusOf(await look(), 'CONSOLE_API_URL')).to.deep.equal(['warn'])
      } finally {
        await other.close()
      }
    })

    const COOKIES: readonly [title: string, api: string, web: string, domain: string | null, status: string][] = [
      ['one host needs no domain', 'https://127.0.0.1:1', 'https://127.0.0.1:1', null, 'ok'],
      ['two hosts without a domain fail', 'https://127.0.0.1:1', 'https://localhost:1', null, 'fail'],
      ['a host outside of the domain fails', 'https://a.localhost:1', 'https://127.0.0.1:1', 'localhost', 'fail'],
      ['a name that only ends alike fails', 'https://badlocalhost:1', 'https://localhost:1', 'localhost', 'fail'],
      ['two hosts of the domain pass', 'https://a.localhost:1', 'https://localhost:1', '.localhost', 'ok'],
      ['https beside http fails', 'https://127.0.0.1:1', 'http://127.0.0.1:1', null, 'fail'],
    ]
    for (const [title, consoleApiUrl, consoleWebUrl, cookieDomain, status] of COOKIES) {
      it(`cookies: ${title}`, async () => {
        const found = await checkPublicUrls({ ...OURS, consoleApiUrl, consoleWebUrl, cookieDomain }, '1.0.0')
        expect(statusOf(found, 'cookies')).to.deep.equal([status])
      })
    }

    // Whoever is believed about X-Forwarded-For chooses the address on which limits count.
    const PROXIES: readonly [title: string, origin: string | null, trusted: readonly string[], status: string[]][] = [
      ['nothing in front and nobody trusted needs no word', null, [], []],
      ['TLS in front and nobody trusted is told', NOBODY, [], ['warn']],
      ['TLS in front and the balancer trusted passes', NOBODY, ['10.0.0.0/8'], ['ok']],
      ['trusting everybody fails', NOBODY, ['0.0.0.0/0'], ['fail']],
      ['trusting everybody over IPv6 fails', NOBODY, ['::/0'], ['fail']],
      ['a balancer that nothing shows is told', null, ['10.0.0.0/8'], ['warn']],
    ]
    for (const [title, consoleWebUrl, trustedProxies, status] of PROXIES) {
      it(`proxies: ${title}`, async () => {
        const found = await checkPublicUrls({ ...OURS, consoleWebUrl, trustedProxies }, '1.0.0')
        expect(statusOf(found, 'proxies')).to.deep.equal(status)
      })
    }
  })

  it('asks the OpenID provider for its document, and compares its name letter by letter', async () => {
    const provider = await openApiDouble()
    const look = async () => {
      const oidc = { clientId: 'c', clientSecret: KEY, scope: 'openid', groupsClaim: 'groups' }
      const found = await checkSignOn({ kind: 'oidc', issuer: provider.url, ...oidc }, fakeClock().timer, () => 0)
      return found.map(({ status }) => status)
    }
    try {
      expect(await look()).to.deep.equal(['fail'])
      provider.on('GET /.well-known/openid-configuration', { json: { issuer: `${provider.url}/` } })
      expect(await look()).to.deep.equal(['fail'])
      provider.on('GET /.well-known/openid-configuration', { json: { issuer: provider.url } })
      expect(await look()).to.deep.equal(['ok'])
    } finally {
      await provider.close()
    }
  })

  it('names every variable that is wrong, never its value, and looks no further', async () => {
    const found = await examine({ PORT: KEY, REDIS_URL: KEY })
    expect(found.map(({ check, status }) => `${check} ${status}`)).to.deep.equal([
      'configuration fail',
      'configuration fail',
    ])
    expect(JSON.stringify(found)).to.contain('PORT').and.to.contain('REDIS_URL').and.to.not.contain(KEY)
  })

  it('strikes out what drivers quote of a secret', () => {
    expect(reasonOf(new Error('no entry for p@ss or p%40ss'), ['p@ss'])).to.not.match(/p@ss|p%40ss/)
  })
})
