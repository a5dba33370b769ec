import { expect } from 'chai'
import { said } from './flow.ts'
import type { Place } from './place.ts'
import {
  ASSERTION,
  anSsoPlace,
  type Claims,
  cookieOf,
  DEVICE,
  ENVELOPE,
  EVE,
  GRANT,
  grantOf,
  ORIGIN,
  signAs,
  ssoOf,
} from './sso.ts'

/** Of every claim that is a text. */
const NO_TEXT: readonly [what: string, value: unknown][] = [
  ['missing', undefined],
  ['null', null],
  ['empty', ''],
  ['a number', 7],
  ['true', true],
  ['an object', { toString: 'x' }],
  ['a list', ['x']],
  ['a NUL', 'a\0b'],
  ['a lone surrogate', 'a\ud800b'],
  ['10 000 characters', 'x'.repeat(10_000)],
]

const EMAILS: readonly [what: string, value: unknown][] = [
  ['two characters', 'a@'],
  ['without @', 'eve'],
  ['with two @', 'eve@company@example'],
  ['with nothing before @', '@company.example'],
  ['with nothing after @', 'eve@'],
  ['with a blank inside', 'eve adam@company.example'],
  ['of two lines', 'eve@company.example\nadam@company.example'],
  ['of 321 characters', `${'e'.repeat(305)}@company.example`],
  ['blanks alone', '   '],
]
const ISSUERS: readonly [what: string, value: unknown][] = [
  ['of 256 characters', 'i'.repeat(256)],
  ['blanks alone', '   '],
  ['the one of our own accounts', 'dify:account'],
  ['the one of our own accounts, with blanks', ' dify:account '],
]

const BAD_TIMES = (nowS: number): readonly [what: string, claims: Claims][] => [
  ['exp missing', { exp: undefined }],
  ['exp null', { exp: null }],
  ['exp a text', { exp: String(nowS + 300) }],
  ['exp an object', { exp: {} }],
  ['exp true', { exp: true }],
  ['exp now', { exp: nowS }],
  ['exp a second ago', { exp: nowS - 1 }],
  ['exp zero', { exp: 0 }],
  ['exp negative', { exp: -1 }],
  ['iat missing', { iat: undefined }],
  ['iat null', { iat: null }],
  ['iat a text', { iat: String(nowS) }],
  ['iat a list', { iat: [nowS] }],
  ['iat 61 s ahead', { iat: nowS + 61, exp: nowS + 361 }],
  ['iat in a year', { iat: nowS + 31_536_000, exp: nowS + 31_536_300 }],
  // Whoever signs it may grant itself a year; nonces are remembered for ten minutes.
  ['iat 360 s ago, exp in a year', { iat: nowS - 360, exp: nowS + 31_536_000 }],
  ['iat long ago, exp in a year', { iat: 0, exp: nowS + 31_536_000 }],
  ['nbf in the future', { nbf: nowS + 120 }],
]

const BAD_AUDIENCES: readonly [what: string, aud: unknown][] = [
  ['missing', undefined],
  ['null', null],
  ['empty', ''],
  ['a number', 7],
  ['an empty list', []],
  ['a list of others', [ENVELOPE, 'api']],
  ['in other letters', ASSERTION.toUpperCase()],
  ['a part', ASSERTION.slice(0, -1)],
  ['of envelopes', ENVELOPE],
]

describe('claims that were rightly signed', () => {
  let place: Place
  let sso: ReturnType<typeof ssoOf>
  let userCode: string
  before(async () => {
    place = await anSsoPlace({ trustedProxies: ['127.0.0.0/8'] })
    sso = ssoOf(place)
    const started = await place.startFlow()
    userCode = started.userCode
  })
  after(() => place.close())

  async function expectNoAssertion(claims: Claims): Promise<void> {
    const reply = await sso.complete(await signAs({ ...sso.assertionClaims(userCode), ...claims }))
    expect(said(reply), reply.text).to.equal('400 invalid_sso_assertion')
    expect(grantOf(reply)).to.equal(null)
  }
  async function expectNoGrant(claims: Claims): Promise<void> {
    const cookie = cookieOf(await signAs({ ...sso.grantClaims(userCode), ...claims }))
    expect(said(await sso.context(cookie))).to.equal('401 invalid_session')
    expect(said(await sso.approve(cookie, 'csrf', userCode))).to.equal('401 invalid_session')
  }

  it('F03 the claims that the tables below spoil are good', async () => {
    expect(grantOf(await sso.complete(await signAs(sso.assertionClaims(userCode))))).to.not.equal(null)
    const { status, json } = await sso.context(cookieOf(await signAs(sso.grantClaims(userCode))))
    expect([status, json.subject_email]).to.deep.equal([200, EVE.email])
  })

  const OF_ASSERTION: readonly [claim: string, values: typeof NO_TEXT][] = [
    ['email', [...NO_TEXT, ...EMAILS]],
    ['issuer', [...NO_TEXT, ...ISSUERS]],
    ['user_code', [...NO_TEXT, ['of 33 characters', 'A'.repeat(33)]]],
    ['nonce', [...NO_TEXT, ['of 129 characters', 'n'.repeat(129)]]],
  ]
  for (const [claim, values] of OF_ASSERTION) {
    for (const [what, value] of values) {
      it(`F03 an assertion whose ${claim} is ${what} is refused`, () => expectNoAssertion({ [claim]: value }))
    }
  }
  for (const [what, aud] of [...BAD_AUDIENCES, ['of grants', GRANT]] as const) {
    it(`F04 an assertion whose aud is ${what} is refused`, () => expectNoAssertion({ aud }))
  }
  for (const [what] of BAD_TIMES(0)) {
    it(`F04 an assertion with ${what} is refused`, () =>
      expectNoAssertion(new Map(BAD_TIMES(sso.nowS())).get(what) ?? {}))
  }

  const OF_GRANT: typeof OF_ASSERTION = [
    ['iss', [...NO_TEXT, ['another origin', 'https://other.example'], ['ours with a slash', `${ORIGIN}/`]]],
    ['subject_email', [...NO_TEXT, ...EMAILS]],
    ['subject_issuer', [...NO_TEXT, ...ISSUERS]],
    ['user_code', [...NO_TEXT, ['of 33 characters', 'A'.repeat(33)]]],
    ['nonce', [...NO_TEXT, ['of 129 characters', 'n'.repeat(129)]]],
    ['csrf_token', [...NO_TEXT, ['of 129 characters', 'c'.repeat(129)]]],
  ]
  for (const [claim, values] of OF_GRANT) {
    for (const [what, value] of values) {
      // A cookie this long is for the parser of headers to refuse.
      if (what === '10 000 characters') continue
      it(`F03 a grant whose ${claim} is ${what} is refused`, () => expectNoGrant({ [claim]: value }))
    }
  }
  for (const [what, aud] of [...BAD_AUDIENCES, ['of assertions', ASSERTION]] as const) {
    it(`F04 a grant whose aud is ${what} is refused`, () => expectNoGrant({ aud }))
  }
  for (const [what] of BAD_TIMES(0)) {
    it(`F04 a grant with ${what} is refused`, () => expectNoGrant(new Map(BAD_TIMES(sso.nowS())).get(what) ?? {}))
  }

  for (const [what, payload] of [
    ['null', null],
    ['a list', []],
    ['a text', '"text"'],
    ['no JSON', '{'],
    ['nothing', ''],
    ['nothing but a prototype', '{"__proto__":{"email":"eve@company.example"}}'],
  ] as const) {
    it(`F03 a payload that is ${what} is refused`, async () => {
      const sealed = await signAs(payload)
      expect(said(await sso.complete(sealed))).to.equal('400 invalid_sso_assertion')
      expect(said(await sso.context(cookieOf(sealed)))).to.equal('401 invalid_session')
    })
  }

  const ACCEPTED: readonly [what: string, claims: (nowS: number) => Claims][] = [
    ['an email of 3 characters', () => ({ email: 'a@b' })],
    ['an email of 320 characters', () => ({ email: `${'e'.repeat(304)}@company.example` })],
    ['an email in capitals, between blanks', () => ({ email: '  EVE@Company.Example ' })],
    ['an issuer of 255 characters', () => ({ issuer: 'i'.repeat(255) })],
    ['an issuer of 1 character', () => ({ issuer: 'i' })],
    ['a nonce of 128 characters', () => ({ nonce: 'n'.repeat(128) })],
    ['a nonce of 1 character', () => ({ nonce: 'n' })],
    ['a code as people type it', () => ({ user_code: ` ${userCode.replace('-', ' ').toLowerCase()} ` })],
    ['claims that nobody knows', () => ({ sub: 7, groups: ['x'], __proto__: null, admin: true })],
    ['iat 60 s ahead', (nowS) => ({ iat: nowS + 60, exp: nowS + 360 })],
    ['iat 359 s ago, and a long life', (nowS) => ({ iat: nowS - 359, exp: nowS + 9999 })],
    ['one second left', (nowS) => ({ exp: nowS + 1 })],
    ['an audience in a list', () => ({ aud: [ASSERTION] })],
  ]
  for (const [what, claims] of ACCEPTED) {
    it(`an assertion with ${what} is good`, async () => {
      const reply = await sso.complete(await signAs({ ...sso.assertionClaims(userCode), ...claims(sso.nowS()) }))
      expect(reply.headers.get('Location'), reply.text).to.equal('/device?sso_verified=1')
    })
  }

  it('the email of a grant is trimmed and lower-cased, its code has one spelling', async () => {
    const person = { email: '  EVE@Company.Example ', user_code: userCode.replace('-', '').toLowerCase() }
    const { cookie } = await sso.signOn(userCode, person)
    const { json } = await sso.context(cookie)
    expect(json).to.include({ subject_email: 'eve@company.example', user_code: userCode })
  })

  it('F03 none of that cost the code: it is as pending as before', async () => {
    const { json } = await place.get(`${DEVICE}/lookup?user_code=${userCode}`)
    expect(json.valid).to.equal(true)
  })
})
