import { expect } from 'chai'
import { createOidcBridge, type OidcBridge } from '#adapters/oidc/oidc-bridge.ts'
import { readPerson } from '#adapters/oidc/vouched-person.ts'
import { DomainError } from '#domain/errors.ts'
import { aKey, CLIENT, type OidcDouble, openOidcDouble } from '../support/oidc-double.ts'

const REDIRECT_URI = 'https://latchkey.example/openapi/v1/oauth/device/sso-callback'
const BROWSER = 'b'.repeat(43)
const ENVELOPE = 'header.envelope.signature'
const nowS = () => Math.floor(Date.now() / 1000)
const FAILED = 'enterprise_failed'

describe('the built-in OpenID Connect bridge', () => {
  let key: Awaited<ReturnType<typeof aKey>>
  let other: Awaited<ReturnType<typeof aKey>>
  let provider: OidcDouble
  let bridge: OidcBridge
  let aheadMs: number
  let warnings: string[]
  before(async () => {
    key = await aKey('first')
    other = await aKey('second')
  })
  beforeEach(async () => {
    provider = await openOidcDouble(key)
    bridge = aBridge()
    aheadMs = 0
    warnings = []
  })
  afterEach(async () => {
    await bridge.close()
    await provider.close()
  })

  function aBridge(overrides: Partial<Parameters<typeof createOidcBridge>[0]> = {}): OidcBridge {
    return createOidcBridge({
      ...CLIENT,
      issuer: provider.issuer,
      scope: 'openid email',
      groupsClaim: 'groups',
      redirectUri: REDIRECT_URI,
      timeoutS: 0.5,
      now: () => Date.now() + aheadMs,
      log: { info: () => {}, warn: (_, facts) => warnings.push(JSON.stringify(facts)), error: () => {} },
      ...overrides,
    })
  }

  const setOut = async (envelope = ENVELOPE, browser = BROWSER) => String(await bridge.signOnUrl(envelope, browser))
  const comeBack = (query: URLSearchParams, envelope = ENVELOPE, browser = BROWSER) => {
    if (bridge.finish === null) throw new Error('the bridge finishes nothing')
    return bridge.finish({ query, sealedEnvelope: envelope, browser })
  }
  const signOn = async () => comeBack(provider.signIn(await setOut()))
  /** What `work` comes to, or the code of the refusal. */
  const outcome = async <T>(work: () => Promise<T>) => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof DomainError) return error.code
      throw error
    }
  }
  const EVE = { email: 'Eve@Company.example', sub: 'person-1', groups: [] }

  it('sends the browser out with state, nonce and an S256 challenge', async () => {
    const url = new URL(await setOut())
    expect(url.origin + url.pathname).to.equal(`${provider.issuer}/authorize`)
    const { nonce, code_challenge, ...rest } = Object.fromEntries(url.searchParams)
    expect(rest).to.deep.equal({
      client_id: CLIENT.clientId,
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'openid email',
      state: ENVELOPE,
      code_challenge_method: 'S256',
    })
    expect(nonce).to.match(/^[\w-]{43}$/)
    expect(code_challenge).to.match(/^[\w-]{43}$/)
    expect(url.href, 'the verifier is for the back channel').not.to.contain(BROWSER)
  })

  it('vouches for a person with a verified email', async () => {
    expect(await signOn()).to.deep.equal({ ...EVE, issuer: provider.issuer })
    expect(provider.count('/userinfo'), 'the ID token said it all').to.equal(0)
  })

  it('lets many tabs sign on at once', async () => {
    const envelopes = ['one.env.elope', 'two.env.elope']
    const queries = await Promise.all(envelopes.map(async (one) => provider.signIn(await setOut(one))))
    const people = await Promise.all(queries.map((query, at) => comeBack(query, envelopes[at])))
    expect(people.map((person) => person?.sub)).to.deep.equal(['person-1', 'person-1'])
  })

  it('proves itself in the body where the provider takes nothing else', async () => {
    provider.told.metadata = { token_endpoint_auth_methods_supported: ['client_secret_post'] }
    expect(await signOn()).to.include({ sub: 'person-1' })
  })

  // RFC 9700 §4.7: a code that an attacker fetched, put into somebody else's browser.
  it('refuses a code that another browser set out for', async () => {
    const query = provider.signIn(await setOut())
    expect(await comeBack(query, ENVELOPE, 'c'.repeat(43))).to.equal(null)
    expect(warnings.join()).to.contain('invalid_grant')
  })

  it('refuses a code of another tab', async () => {
    const [first, second] = [provider.signIn(await setOut('a.b.c')), provider.signIn(await setOut('d.e.f'))]
    second.set('code', first.get('code') ?? '')
    expect(await comeBack(second, 'd.e.f')).to.equal(null)
  })

  it('refuses a code that was used', async () => {
    const query = provider.signIn(await setOut())
    expect(await comeBack(query)).to.include({ sub: 'person-1' })
    expect(await comeBack(query)).to.equal(null)
  })

  const CALLBACKS: readonly (readonly [why: string, change: (query: URLSearchParams) => void])[] = [
    ['an error', (query) => query.set('error', 'access_denied')],
    ['no code', (query) => query.delete('code')],
    ['another state', (query) => query.set('state', 'x.y.z')],
    ['two states', (query) => query.append('state', ENVELOPE)],
    ['two codes', (query) => query.append('code', 'second')],
    // RFC 9207: a mix-up of two providers.
    ['another iss', (query) => query.set('iss', 'https://evil.example')],
    ['a response as JWT', (query) => query.set('response', 'a.b.c')],
    ['a code nobody issued', (query) => query.set('code', 'x'.repeat(4000))],
  ]
  for (const [why, change] of CALLBACKS) {
    it(`refuses a callback with ${why}`, async () => {
      const query = provider.signIn(await setOut())
      change(query)
      expect(await comeBack(query)).to.equal(null)
    })
  }

  const CLAIMS: readonly (readonly [why: string, claims: () => Record<string, unknown>])[] = [
    ['of another issuer', () => ({ iss: 'https://evil.example' })],
    ['whose issuer has a closing slash more', () => ({ iss: `${provider.issuer}/` })],
    ['for another client', () => ({ aud: 'somebody-else' })],
    ['for us and another, without azp', () => ({ aud: [CLIENT.clientId, 'somebody-else'] })],
    ['for us and another, issued to the other', () => ({ aud: [CLIENT.clientId, 'other'], azp: 'other' })],
    ['for us, issued to another', () => ({ azp: 'somebody-else' })],
    ['that has run out', () => ({ exp: nowS() - 61 })],
    ['that never runs out', () => ({ exp: undefined })],
    ['from the future', () => ({ iat: nowS() + 120 })],
    ['issued long ago', () => ({ iat: nowS() - 600 })],
    ['issued never', () => ({ iat: undefined })],
    ['not valid yet', () => ({ nbf: nowS() + 120 })],
    ['with another nonce', () => ({ nonce: 'x'.repeat(43) })],
    ['without nonce', () => ({ nonce: undefined })],
    ['without sub', () => ({ sub: undefined })],
    ['with an empty sub', () => ({ sub: '' })],
    ['with a sub too long', () => ({ sub: 's'.repeat(256) })],
    ['with an email that is not verified', () => ({ email_verified: false })],
    ['with an email of which nothing is said', () => ({ email_verified: undefined })],
    ['with email_verified as text', () => ({ email_verified: 'true' })],
    ['with the word of Entra, from somebody else', () => ({ email_verified: undefined, xms_edov: true })],
    ['with an email that is none', () => ({ email: 'eve' })],
    ['with an email that is a list', () => ({ email: ['eve@company.example'] })],
    ['with an empty email', () => ({ email: '' })],
    ['with two addresses in one', () => ({ email: 'eve@company.example,admin@company.example@' })],
    ['with NUL in the email', () => ({ email: 'eve\0@company.example' })],
    ['with an email too long', () => ({ email: `${'e'.repeat(310)}@company.example` })],
  ]
  for (const [why, claims] of CLAIMS) {
    it(`refuses an ID token ${why}`, async () => {
      provider.told.claims = claims()
      expect(await outcome(signOn)).to.equal(null)
    })
  }

  it('takes a clock that differs by less than a minute', async () => {
    provider.told.claims = { iat: nowS() + 50, exp: nowS() - 50 }
    expect(await signOn()).to.include({ sub: 'person-1' })
  })

  it('refuses an ID token under a key that is not published', async () => {
    provider.told.key = other
    expect(await outcome(signOn)).to.equal(null)
  })

  it('refuses an ID token that another key signed in the name of a published one', async () => {
    provider.told.key = { ...other, kid: key.kid }
    expect(await outcome(signOn)).to.equal(null)
  })

  // RFC 8725 §2.1: the public key as the secret of an HMAC, and no signature at all.
  for (const alg of ['HS256', 'none']) {
    it(`refuses an ID token with alg ${alg}, offered or not`, async () => {
      provider.told.metadata = { id_token_signing_alg_values_supported: ['RS256', alg] }
      const url = await setOut()
      const claims = { iss: provider.issuer, aud: CLIENT.clientId, sub: 'person-1', iat: nowS(), exp: nowS() + 60 }
      const nonce = new URL(url).searchParams.get('nonce')
      const parts = [
        { alg, kid: key.kid },
        { ...claims, nonce, email: 'a@b.example', email_verified: true },
      ]
      const token = `${parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.AAAA`
      provider.told.answers = { '/token': { body: { access_token: 'at-1', token_type: 'Bearer', id_token: token } } }
      expect(await outcome(() => comeBack(provider.signIn(url)))).to.equal(null)
    })
  }

  it('reads the keys anew, once, when the provider has changed them', async () => {
    await signOn()
    provider.told.key = other
    provider.told.published = [other.jwk]
    aheadMs = 31_000
    expect(await signOn()).to.include({ sub: 'person-1' })
    expect(provider.count('/keys')).to.equal(2)
  })

  it('does not ask for keys at the will of whoever sends tokens under unknown ones', async () => {
    provider.told.key = other
    for (let time = 0; time < 5; time += 1) await outcome(signOn)
    expect(provider.count('/keys')).to.equal(1)
  })

  it('takes the word of Entra, which never sends the standard claim, for the owner of the domain', () => {
    const of = {
      issuer: 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0',
      groupsClaim: '-',
    }
    const claims = { sub: 's', email: 'eve@company.example' }
    expect(readPerson({ ...claims, xms_edov: true }, of).person).to.deep.include(claims)
    for (const xms_edov of [undefined, false, 0, '0', 'false', {}]) {
      expect(readPerson({ ...claims, xms_edov }, of)).to.deep.equal({ refused: 'email is not verified' })
    }
    expect(readPerson({ ...claims, xms_edov: true, email_verified: false }, of).person).to.equal(undefined)
  })

  it('asks the userinfo endpoint when the ID token holds no email', async () => {
    provider.told.claims = { email: undefined, email_verified: undefined, groups: ['a'] }
    provider.told.userinfo = { email: 'eve@company.example', email_verified: true }
    expect(await signOn()).to.deep.include({ email: 'eve@company.example', groups: ['a'] })
  })

  const TOLD: readonly (readonly [why: string, userinfo: Record<string, unknown>])[] = [
    ['nothing of an email', {}],
    ['an email that is not verified', { email: 'eve@company.example', email_verified: false }],
    ['somebody else', { sub: 'person-2', email: 'eve@company.example', email_verified: true }],
  ]
  for (const [why, userinfo] of TOLD) {
    it(`refuses a userinfo endpoint that tells ${why}`, async () => {
      // The ID token's own word is about the email that it does not hold.
      provider.told.claims = { email: undefined, email_verified: true }
      provider.told.userinfo = userinfo
      expect(await outcome(signOn)).to.equal(null)
    })
  }

  it('refuses a person without email at a provider without userinfo endpoint', async () => {
    provider.told.metadata = { userinfo_endpoint: undefined }
    provider.told.claims = { email: undefined }
    expect(await outcome(signOn)).to.equal(null)
  })

  const GROUPS: readonly (readonly [why: string, claim: unknown, groups: readonly string[]])[] = [
    ['each once, in order', ['b', 'a', 'b'], ['b', 'a']],
    ['one as text', 'staff', ['staff']],
    [
      'no more than 200',
      Array.from({ length: 500 }, (_, at) => `g${at}`),
      Array.from({ length: 200 }, (_, at) => `g${at}`),
    ],
    ['none longer than 255', ['g'.repeat(255), 'g'.repeat(256)], ['g'.repeat(255)]],
    ['nothing but text', [1, null, { a: 1 }, ['x'], '', 'a\0b', 'ok'], ['ok']],
    ['none of an object', { staff: true }, []],
  ]
  for (const [why, claim, groups] of GROUPS) {
    it(`keeps of the groups ${why}`, async () => {
      provider.told.claims = { groups: claim }
      expect((await signOn())?.groups).to.deep.equal(groups)
    })
  }

  it('reads the groups from the claim that is configured', async () => {
    await bridge.close()
    bridge = aBridge({ groupsClaim: 'https://company.example/roles' })
    provider.told.claims = { groups: ['a'], 'https://company.example/roles': ['b'] }
    expect((await signOn())?.groups).to.deep.equal(['b'])
  })

  describe('when the provider fails', () => {
    const DISCOVERY = '/.well-known/openid-configuration'
    const MEGABYTE = 'x'.repeat(1024 * 1024)
    type Fault = readonly [why: string, path: string, answer: OidcDouble['told']['answers'][string]]
    const FAULTS: readonly Fault[] = [
      ...[DISCOVERY, '/token', '/keys'].flatMap((path): readonly Fault[] => [
        [`${path} hangs`, path, 'hang'],
        [`${path} hangs up`, path, 'hang up'],
        [`${path} answers 500`, path, { status: 500, body: {} }],
        [`${path} sends on`, path, { status: 302, body: {} }],
        [`${path} answers HTML`, path, { type: 'text/html', body: '<html>' }],
        [`${path} answers no JSON`, path, { body: '{"keys"' }],
        [`${path} answers a megabyte`, path, { body: { keys: [], access_token: MEGABYTE } }],
      ]),
      ['our secret is wrong', '/token', { status: 401, body: { error: 'invalid_client' } }],
      ['the keys are no list', '/keys', { body: { keys: 'k' } }],
    ]
    for (const [why, path, answer] of FAULTS) {
      it(`${why}: nobody is vouched for, and the fault is the provider's`, async () => {
        provider.told.answers = { [path]: answer }
        expect(await outcome(signOn)).to.equal(FAILED)
      })
    }

    it('refuses a claim of a megabyte', async () => {
      provider.told.claims = { groups: [MEGABYTE] }
      expect(await outcome(signOn)).to.equal(FAILED)
    })

    it('says nothing of tokens and answers in the fault', async () => {
      provider.told.answers = { '/token': { status: 500, body: { secret: 'hunter2' } } }
      const url = await setOut()
      const query = provider.signIn(url)
      try {
        await comeBack(query)
        expect.fail('the fault is thrown')
      } catch (error) {
        const seen: string[] = []
        for (let at = error; at instanceof Error; at = at.cause as Error) seen.push(at.message, JSON.stringify(at))
        expect(seen.join()).not.to.match(/hunter2|code-0/)
        expect(seen.join()).not.to.contain(CLIENT.clientSecret)
        expect(seen.join()).to.contain('external sign-on')
      }
    })

    it('names the word of a refusal of ours, which only an operator can put right', async () => {
      const query = provider.signIn(await setOut())
      provider.told.answers = { '/token': { status: 401, body: { error: 'invalid_client', secret: 'hunter2' } } }
      const error = await comeBack(query).catch((thrown: unknown) => thrown)
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.cause : null
      expect(String(cause)).to.equal('Error: status 401: invalid_client')
    })

    const METADATA: readonly (readonly [why: string, metadata: () => Record<string, unknown>])[] = [
      ['another issuer', () => ({ issuer: 'https://evil.example' })],
      ['its issuer with a slash more', () => ({ issuer: `${provider.issuer}/` })],
      ['no sign-in page', () => ({ authorization_endpoint: undefined })],
      ['a sign-in page that is a script', () => ({ authorization_endpoint: 'javascript:alert(1)' })],
      ['a sign-in page in the clear', () => ({ authorization_endpoint: 'http://idp.example/authorize' })],
      ['keys in the clear', () => ({ jwks_uri: 'http://idp.example/keys' })],
      ['no keys', () => ({ jwks_uri: undefined })],
    ]
    for (const [why, metadata] of METADATA) {
      it(`sends nobody to a provider that names ${why}`, async () => {
        provider.told.metadata = metadata()
        expect(await outcome(() => setOut())).to.equal(FAILED)
      })
    }

    it('asks again after a failure, and once for many who ask together', async () => {
      provider.told.answers = { [DISCOVERY]: { status: 503, body: {} } }
      expect(await outcome(signOn)).to.equal(FAILED)
      provider.told.answers = {}
      await Promise.all(Array.from({ length: 20 }, () => setOut()))
      expect(provider.count(DISCOVERY)).to.equal(2)
    })

    it('does not ask a provider off loopback in the clear', async () => {
      await bridge.close()
      bridge = aBridge({ issuer: 'http://idp.invalid' })
      expect(await outcome(signOn)).to.equal(FAILED)
    })
  })

  describe('notices of people who signed out', () => {
    const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
    const notice = (overrides: Record<string, unknown> = {}) =>
      JSON.parse(
        JSON.stringify({
          iss: provider.issuer,
          aud: CLIENT.clientId,
          iat: nowS(),
          exp: nowS() + 120,
          jti: 'n-1',
          sub: 'person-1',
          events: { [EVENT]: {} },
          ...overrides,
        }),
      )
    const read = async (token: string) => bridge.readLogout?.(token)

    it('reads whom a notice is about', async () => {
      const token = await provider.sign(notice(), { typ: 'logout+jwt' })
      expect(await read(token)).to.deep.equal({ issuer: provider.issuer, sub: 'person-1', id: 'n-1' })
    })

    const REFUSED: readonly (readonly [why: string, claims: () => Record<string, unknown>])[] = [
      ['of another issuer', () => ({ iss: 'https://evil.example' })],
      ['for another client', () => ({ aud: 'somebody-else' })],
      ['issued long ago', () => ({ iat: nowS() - 600 })],
      ['issued never', () => ({ iat: undefined })],
      ['that has run out', () => ({ exp: nowS() - 61 })],
      ['without jti', () => ({ jti: undefined })],
      ['with a jti too long', () => ({ jti: 'j'.repeat(256) })],
      ['without sub', () => ({ sub: undefined })],
      // What every ID token holds: the browser's own token must sign nobody out.
      ['with a nonce', () => ({ nonce: 'n' })],
      ['without events', () => ({ events: undefined })],
      ['of another event', () => ({ events: { 'https://other.example': {} } })],
      ['whose event is a text', () => ({ events: { [EVENT]: 'yes' } })],
      ['whose events are a list', () => ({ events: [EVENT] })],
    ]
    for (const [why, claims] of REFUSED) {
      it(`refuses one ${why}`, async () => {
        expect(await read(await provider.sign(notice(claims())))).to.equal(null)
      })
    }

    it('refuses one under another key, and what is no token', async () => {
      expect(await read(await provider.sign(notice(), {}, { ...other, kid: key.kid }))).to.equal(null)
      for (const text of ['', 'a.b.c', 'x'.repeat(9000)]) expect(await read(text)).to.equal(null)
    })

    const lines = () => warnings.map((line) => JSON.parse(line))

    // The route is open to anybody, without a limit: a provider must never wait for its turn behind strangers.
    it('security: junk writes one line a minute, which counts what was left out, and holds up no true notice', async () => {
      for (let time = 0; time < 500; time += 1) expect(await read(`junk-${time}`)).to.equal(null)
      expect(await read(await provider.sign(notice()))).to.deep.include({ sub: 'person-1' })
      expect(lines()).to.deep.equal([{ reason: 'ERR_JWS_INVALID', leftOut: 0 }])
      aheadMs += 60_000
      await read('junk')
      expect(lines().slice(1)).to.deep.equal([{ reason: 'ERR_JWS_INVALID', leftOut: 499 }])
    })

    it('junk hides no line of the provider’s own notices, which are refused for another reason', async () => {
      await read('junk')
      await read(await provider.sign(notice({ aud: 'somebody-else' })))
      expect(lines().map(({ reason }) => reason)).to.deep.equal(['ERR_JWS_INVALID', 'ERR_JWT_CLAIM_VALIDATION_FAILED'])
    })

    it('a clock that was set back silences no line', async () => {
      await read('junk')
      aheadMs -= 3_600_000
      await read('junk')
      expect(lines()).to.have.length(2)
    })

    // Each would otherwise be a fault of ours: 503, and a line of its own.
    it('security: whatever stands in the header of a token, it is refused in a few lines', async () => {
      const [, payload = '', signature = ''] = (await provider.sign(notice())).split('.')
      const values = [null, 1, '', 'x', {}, [], ['b64'], 'none', 'HS256', 'ES256', 'ES512', 'EdDSA', 'Ed25519', 'PS512']
      for (const name of ['alg', 'kid', 'crit', 'b64', 'typ', 'cty', 'jwk', 'x5c', 'jku', 'zip', 'enc']) {
        for (const value of values) {
          const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: key.kid, [name]: value })).toString(
            'base64url',
          )
          expect(await read(`${header}.${payload}.${signature.slice(0, -4)}AAAA`), `${name} ${value}`).to.equal(null)
        }
      }
      expect(warnings.length).to.be.lessThan(12)
    })
  })
})
