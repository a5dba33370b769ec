import { expect } from 'chai'
import { claim } from '#domain/device-flow-state.ts'
import { limits } from '#domain/rate-limit.ts'
import { aBridge } from '../support/policy.ts'
import { said } from './flow.ts'
import { aPlace, type Place } from './place.ts'
import { type Claims, cookieOf, DEVICE, EVE, ORIGIN, signAs, ssoOf } from './sso.ts'

/** What can stand in the way of an approval, as one server and one request; the first of them answers. */
type Fault =
  | 'licence'
  | 'no cookie'
  | 'bad cookie'
  | 'feature off'
  | 'limit'
  | 'csrf'
  | 'other code'
  | 'unknown code'
  | 'decided code'
  | 'account email'
  | 'nonce'
  | 'race'

const ORDER: readonly [fault: Fault, answer: string, alone?: 'alone'][] = [
  ['licence', '404 not_found'],
  ['no cookie', '401 no_session'],
  ['bad cookie', '401 invalid_session'],
  ['feature off', '503 bearer_auth_disabled'],
  ['limit', '429 rate_limited'],
  ['csrf', '403 csrf_mismatch'],
  ['other code', '400 user_code_mismatch'],
  ['unknown code', '404 expired_or_unknown'],
  ['decided code', '409 user_code_not_pending'],
  ['account email', '403 email_belongs_to_dify_account'],
  ['nonce', '401 session_already_consumed'],
  ['race', '409 state_lost'],
]

describe('who may approve as an external person', () => {
  let place: Place
  let sso: ReturnType<typeof ssoOf>
  let compared: (readonly [string, string])[]
  async function open(faults: ReadonlySet<Fault>): Promise<void> {
    compared = []
    place = await aPlace({
      settings: { consoleApiUrl: ORIGIN, bearer: { enabled: !faults.has('feature off'), perMinute: 60 } },
      change: (ports) => ({
        ...ports,
        bridge: aBridge({ licenseStatus: async () => (faults.has('licence') ? 'expired' : 'active') }),
        sameSecret(a, b) {
          compared.push([a, b])
          return ports.sameSecret(a, b)
        },
      }),
    })
    sso = ssoOf(place)
  }
  afterEach(() => place.close())

  /** One approval that meets all of `faults`. */
  async function approveWith(faults: ReadonlySet<Fault>, overrides: Claims = {}) {
    const { userCode } = await place.startFlow()
    const flowHash = (await place.ports.flows.hashOf(userCode)) ?? ''
    const claims = sso.grantClaims(userCode, faults.has('unknown code') ? { user_code: 'AAAA-AAAA' } : {})
    const nonce = String(claims.nonce)
    if (faults.has('limit')) {
      const bucket = limits.decideExternal(EVE.email, 10)
      for (let call = 0; call < 10; call++) await place.ports.limiter.admit([bucket])
    }
    if (faults.has('decided code')) {
      const browser = await place.signIn()
      const deny = { headers: browser.headers, json: { user_code: userCode } }
      if (!faults.has('feature off')) await place.post(`${DEVICE}/deny`, deny)
    }
    if (faults.has('account email')) await place.addMember(EVE.email)
    if (faults.has('nonce')) await place.ports.nonces.spend('grant', nonce)
    if (faults.has('race')) {
      await place.ports.flows.update(flowHash, (flow) => {
        const claimed = claim(flow, 'somebody else', place.clock.now())
        return { result: null, write: claimed.kind === 'won' ? claimed.next : 'keep' }
      })
    }
    const sealed = await signAs({ ...claims, ...overrides })
    const cookie = faults.has('no cookie') ? {} : cookieOf(faults.has('bad cookie') ? `${sealed}x` : sealed)
    const code = faults.has('other code') ? 'BBBB-BBBB' : String(claims.user_code)
    const reply = await sso.approve(cookie, faults.has('csrf') ? 'another' : 'csrf', code)
    return { reply, nonce, userCode, cookie }
  }
  const isUnspent = (nonce: string) => place.ports.nonces.spend('grant', nonce)

  for (const [at, [fault, answer]] of ORDER.entries()) {
    const after = ORDER.slice(at).map(([one]) => one)

    it(`${fault} answers ${answer} before ${after.slice(1).join(', ') || 'anything is minted'}`, async () => {
      const faults = new Set(after)
      await open(faults)
      const { reply, nonce } = await approveWith(faults)
      expect(said(reply), reply.text).to.equal(answer)
      expect(reply.headers.getSetCookie(), 'the grant stays').to.deep.equal([])
      expect(await place.edit.tokenRows()).to.have.length(0)
      if (!faults.has('nonce')) expect(await isUnspent(nonce)).to.equal(fault !== 'race')
    })

    it(`${fault} alone answers ${answer}, and nothing is minted`, async () => {
      const faults = new Set([fault])
      await open(faults)
      const { reply, nonce, userCode, cookie } = await approveWith(faults)
      expect(said(reply), reply.text).to.equal(answer)
      expect(await place.edit.tokenRows()).to.have.length(0)
      const isSpent = fault === 'nonce' || fault === 'race'
      expect(await isUnspent(nonce)).to.equal(!isSpent)
      if (fault === 'limit') expect(Number(reply.headers.get('Retry-After'))).to.be.within(1, 3600)
      if (fault === 'feature off') expect(reply.headers.get('Retry-After')).to.equal('60')
      if (['csrf', 'other code'].includes(fault)) {
        expect((await sso.context(cookie)).status, 'the grant is as good as before').to.equal(200)
        expect((await place.get(`${DEVICE}/lookup?user_code=${userCode}`)).json.valid).to.equal(true)
      }
    })
  }

  it('without any of these it is 200, one row, and the cookie goes', async () => {
    await open(new Set())
    const { reply, nonce } = await approveWith(new Set())
    expect(said(reply), reply.text).to.equal('200 approved')
    expect(await place.edit.tokenRows()).to.have.length(1)
    expect(await isUnspent(nonce)).to.equal(false)
    expect(reply.headers.getSetCookie()).to.deep.equal([
      'device_approval_grant=; Path=/openapi/v1/oauth/device; Max-Age=0; SameSite=Lax; HttpOnly',
    ])
  })

  it('the tenth approval of an hour passes, the eleventh of that email does not, another email’s does', async () => {
    await open(new Set())
    for (let call = 0; call < 10; call++) expect(said((await approveWith(new Set())).reply)).to.equal('200 approved')
    expect(said((await approveWith(new Set())).reply)).to.equal('429 rate_limited')
    const capitals = { subject_email: ` ${EVE.email.toUpperCase()}`, subject_issuer: 'https://other.example' }
    expect(said((await approveWith(new Set(), capitals)).reply), 'spelt otherwise').to.equal('429 rate_limited')
    const adam = { subject_email: 'adam@company.example' }
    expect(said((await approveWith(new Set(), adam)).reply)).to.equal('200 approved')
    place.clock.advance(3_600_000)
    expect(said((await approveWith(new Set())).reply)).to.equal('200 approved')
  })

  it('F06 header and claim are compared by the constant-time port', async () => {
    await open(new Set())
    await approveWith(new Set(['csrf']))
    await approveWith(new Set())
    expect(compared).to.deep.equal([
      ['another', 'csrf'],
      ['csrf', 'csrf'],
    ])
  })

  for (const [what, headers] of Object.entries({
    missing: {},
    empty: { 'X-CSRF-Token': '' },
    'a prefix': { 'X-CSRF-Token': 'csr' },
    longer: { 'X-CSRF-Token': 'csrff' },
    'in capitals': { 'X-CSRF-Token': 'CSRF' },
    'twice, joined': { 'X-CSRF-Token': 'csrf, csrf' },
    'in another header': { 'X-XSRF-Token': 'csrf' },
  })) {
    it(`F06 a CSRF token that is ${what} is a 403, whatever the browser’s own cookies say`, async () => {
      await open(new Set())
      const { userCode } = await place.startFlow()
      const { Cookie } = cookieOf(await signAs(sso.grantClaims(userCode)))
      const reply = await place.post(`${DEVICE}/approve-external`, {
        headers: { Cookie: `${Cookie}; csrf_token=csrf`, ...headers },
        json: { user_code: userCode },
      })
      expect(said(reply)).to.equal('403 csrf_mismatch')
    })
  }

  for (const [what, body] of Object.entries({
    nothing: undefined,
    'an empty object': {},
    null: { user_code: null },
    'a number': { user_code: 7 },
    'a list': { user_code: ['WDJB-MJHT'] },
    'an object': { user_code: {} },
    'an empty text': { user_code: '' },
    'a part': { user_code: 'WDJB' },
    'another code': { user_code: 'BBBB-BBBB' },
    'a list for a body': [],
    'a text for a body': 'WDJB-MJHT',
    'null for a body': null,
    'a NUL': { user_code: 'WDJB\0MJHT' },
    'a lone surrogate': { user_code: 'WDJB\ud800' },
  })) {
    it(`F07 ${what} in place of the code is a 400, and the grant still good`, async () => {
      await open(new Set())
      const { userCode } = await place.startFlow()
      const cookie = cookieOf(await signAs(sso.grantClaims(userCode)))
      const headers = { ...cookie, 'X-CSRF-Token': 'csrf' }
      const how = body === undefined ? { headers } : { headers, json: body }
      expect(said(await place.post(`${DEVICE}/approve-external`, how))).to.equal('400 user_code_mismatch')
      expect(said(await sso.approve(cookie, 'csrf', userCode))).to.equal('200 approved')
    })
  }

  it('F05 a grant whose approval failed at the database is spent: a new sign-on makes another', async () => {
    await open(new Set())
    const { userCode } = await place.startFlow()
    const { cookie, csrf } = await sso.signOn(userCode)
    const { mint } = place.ports.tokens
    Object.assign(place.ports.tokens, { mint: () => Promise.reject(new Error('the disk is gone')) })
    expect((await sso.approve(cookie, csrf, userCode)).status).to.equal(500)
    Object.assign(place.ports.tokens, { mint })
    expect(said(await sso.approve(cookie, csrf, userCode))).to.equal('401 session_already_consumed')
    const again = await sso.signOn(userCode)
    expect(said(await sso.approve(again.cookie, again.csrf, userCode))).to.equal('200 approved')
  })

  it('two tabs: the later sign-on is the browser’s; neither code nor CSRF token of the other tab goes with it', async () => {
    await open(new Set())
    const [first, second] = [await place.startFlow(), await place.startFlow('other')]
    const one = await sso.signOn(first.userCode)
    const two = await sso.signOn(second.userCode, { email: 'adam@company.example' })
    expect(said(await sso.approve(two.cookie, one.csrf, first.userCode))).to.equal('403 csrf_mismatch')
    expect(said(await sso.approve(two.cookie, two.csrf, first.userCode))).to.equal('400 user_code_mismatch')
    expect(said(await sso.approve(one.cookie, two.csrf, second.userCode))).to.equal('403 csrf_mismatch')
    expect(said(await sso.approve(one.cookie, one.csrf, second.userCode))).to.equal('400 user_code_mismatch')
    expect(said(await sso.approve(two.cookie, two.csrf, second.userCode))).to.equal('200 approved')
    expect(said(await sso.approve(one.cookie, one.csrf, first.userCode))).to.equal('200 approved')
  })

  it('neither a console session nor a bearer stands in for the grant', async () => {
    await open(new Set())
    const { userCode } = await place.startFlow()
    const browser = await place.signIn()
    const { token } = await place.login({ label: 'other', browser })
    const json = { user_code: userCode }
    for (const how of [
      { headers: browser.headers, json },
      { token, json },
    ]) {
      expect(said(await place.post(`${DEVICE}/approve-external`, how))).to.equal('401 no_session')
    }
  })

  it('a grant ends after 300 s', async () => {
    await open(new Set())
    const { userCode } = await place.startFlow()
    const { cookie, csrf } = await sso.signOn(userCode)
    place.clock.advance(299_000)
    expect((await sso.context(cookie)).status).to.equal(200)
    place.clock.advance(1000)
    expect(said(await sso.context(cookie))).to.equal('401 invalid_session')
    expect(said(await sso.approve(cookie, csrf, userCode))).to.equal('401 invalid_session')
  })
})
