import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import { said } from './flow.ts'
import type { Place } from './place.ts'
import {
  ASSERTION,
  anSsoPlace,
  type Claims,
  cookieOf,
  ENVELOPE,
  GRANT,
  grantOf,
  HEADER,
  ORIGIN,
  PLACE_KEY,
  signAs,
  ssoOf,
} from './sso.ts'

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs under any header, also one that no library would write. */
function forge(header: object, claims: Claims, hash = 'sha256', key = PLACE_KEY): string {
  const signed = `${part(header)}.${part(claims)}`
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`
}

/** Ways to make a seal that nobody with the key made like this. */
const FORGERIES: Readonly<Record<string, (claims: Claims) => string | Promise<string>>> = {
  'signed with another key': (claims) => forge(HEADER, claims, 'sha256', 'x'.repeat(32)),
  'signed with an empty key': (claims) => forge(HEADER, claims, 'sha256', ''),
  'of an unknown kid': (claims) => forge({ ...HEADER, kid: 'other' }, claims),
  'of the kid of another fixture': (claims) => forge({ ...HEADER, kid: 'dify-shared-v1' }, claims),
  'without a kid': (claims) => forge({ alg: 'HS256', typ: 'JWT' }, claims),
  'of an empty kid': (claims) => forge({ ...HEADER, kid: '' }, claims),
  'of a kid that is no text': (claims) => forge({ ...HEADER, kid: 0 }, claims),
  'of a kid in a list': (claims) => forge({ ...HEADER, kid: ['test'] }, claims),
  'of the kid __proto__': (claims) => forge({ ...HEADER, kid: '__proto__' }, claims),
  // RFC 8725 §2.1 and §3.1: the attacker picks the header.
  'of alg none, unsigned': (claims) => `${part({ ...HEADER, alg: 'none' })}.${part(claims)}.`,
  'of alg None, unsigned': (claims) => `${part({ ...HEADER, alg: 'None' })}.${part(claims)}.`,
  'of alg none, signed': (claims) => forge({ ...HEADER, alg: 'none' }, claims),
  'of an empty alg': (claims) => forge({ ...HEADER, alg: '' }, claims),
  'of no alg': (claims) => forge({ kid: 'test', typ: 'JWT' }, claims),
  'of alg HS384, the right key': (claims) => forge({ ...HEADER, alg: 'HS384' }, claims, 'sha384'),
  'of alg HS512, the right key': (claims) => forge({ ...HEADER, alg: 'HS512' }, claims, 'sha512'),
  'of alg RS256, with our key as the public one': (claims) => forge({ ...HEADER, alg: 'RS256' }, claims),
  'of alg HS512, signed with HS256': (claims) => forge({ ...HEADER, alg: 'HS512' }, claims),
  'with a critical header that nobody knows': (claims) => forge({ ...HEADER, crit: ['x'], x: 1 }, claims),
  'with its own key in its header': (claims) =>
    forge({ ...HEADER, jwk: { kty: 'oct', k: part('x') } }, claims, 'sha256', 'x'.repeat(32)),
  'without a signature': async (claims) => (await signAs(claims)).replace(/[^.]*$/, ''),
  'with half a signature': async (claims) => (await signAs(claims)).slice(0, -20),
  'with another payload': async (claims) => {
    const [header = '', , signature = ''] = (await signAs(claims)).split('.')
    return `${header}.${part({ ...claims, nonce: 'another' })}.${signature}`
  },
  'with another header': async (claims) => {
    const [, payload = '', signature = ''] = (await signAs(claims)).split('.')
    return `${part({ ...HEADER, cty: 'JWT' })}.${payload}.${signature}`
  },
  'with a part more': async (claims) => `${await signAs(claims)}.${part({})}`,
  'with a part less': async (claims) => (await signAs(claims)).split('.').slice(1).join('.'),
  'in five parts': (claims) => `${part({ alg: 'dir', enc: 'A256GCM' })}..${part('iv')}.${part(claims)}.${part('tag')}`,
  'in JSON': async (claims) => JSON.stringify({ payload: part(claims), signature: 'x', protected: part(HEADER) }),
}

describe('seals that were not made by us', () => {
  let place: Place
  let sso: ReturnType<typeof ssoOf>
  let userCode: string
  before(async () => {
    place = await anSsoPlace()
    sso = ssoOf(place)
    const started = await place.startFlow()
    userCode = started.userCode
  })
  after(() => place.close())

  it('F04 the same claims under the right seal are good, however it is made', async () => {
    for (const sealed of [await signAs(sso.assertionClaims(userCode)), forge(HEADER, sso.assertionClaims(userCode))]) {
      expect(grantOf(await sso.complete(sealed))).to.not.equal(null)
    }
    expect((await sso.context(cookieOf(forge(HEADER, sso.grantClaims(userCode))))).status).to.equal(200)
  })

  for (const [what, forgery] of Object.entries(FORGERIES)) {
    it(`F04 an assertion ${what} is refused in the same words as any other`, async () => {
      const reply = await sso.complete(await forgery(sso.assertionClaims(userCode)))
      expect(reply.status).to.equal(400)
      expect(grantOf(reply)).to.equal(null)
      const expired = await sso.complete(forge(HEADER, sso.assertionClaims(userCode, { exp: sso.nowS() - 1 })))
      expect(reply.text).to.equal(expired.text)
      expect(said(expired)).to.equal('400 invalid_sso_assertion')
    })

    it(`F04 a grant ${what} is refused in the same words as any other`, async () => {
      const cookie = cookieOf(await forgery(sso.grantClaims(userCode)))
      const expired = cookieOf(forge(HEADER, sso.grantClaims(userCode, { exp: sso.nowS() - 1 })))
      const reply = await sso.context(cookie)
      expect(said(reply)).to.equal('401 invalid_session')
      expect(reply.text).to.equal((await sso.context(expired)).text)
      expect((await sso.approve(cookie, 'csrf', userCode)).text).to.equal(reply.text)
    })
  }

  it('F04 what was sealed for one purpose serves no other', async () => {
    const browser = await place.signIn()
    const console = Object.fromEntries(browser.cookie.split('; ').map((pair) => pair.split('=')))
    const both = { ...sso.assertionClaims(userCode), ...sso.grantClaims(userCode) }
    const sealed: Record<string, string> = {
      envelope: await signAs({ ...both, intent: 'device_flow', idp_callback_url: ORIGIN, aud: ENVELOPE }),
      assertion: await signAs({ ...both, aud: ASSERTION }),
      grant: await signAs({ ...both, aud: GRANT }),
      'session cookie': console.access_token ?? '',
      'CSRF cookie': console.csrf_token ?? '',
    }
    expect(Object.values(sealed).every((one) => one.split('.').length === 3)).to.equal(true)
    for (const [what, one] of Object.entries(sealed)) {
      const asAssertion = await sso.complete(one)
      expect(asAssertion.status, `${what} as assertion`).to.equal(what === 'assertion' ? 302 : 400)
      const asGrant = await sso.context(cookieOf(one))
      expect(asGrant.status, `${what} as grant`).to.equal(what === 'grant' ? 200 : 401)
      const Cookie = `access_token=${one}; csrf_token=${console.csrf_token}`
      const asSession = await place.get('/console/api/account/profile', { headers: { Cookie } })
      expect(asSession.status, `${what} as session`).to.equal(what === 'session cookie' ? 200 : 401)
    }
  })

  it('F03 what is no seal at all is no fault of ours', async () => {
    for (const junk of ['.', '..', 'a.b.c', 'ä', 'e30.e30.e30', '%00', 'null', '[]', 'x'.repeat(12_000)]) {
      const reply = await sso.complete(junk)
      expect(said(reply), junk.slice(0, 20)).to.equal('400 invalid_sso_assertion')
    }
    for (const junk of ['.', 'a.b.c', 'e30.e30.e30', '{}', 'x'.repeat(3000)]) {
      expect(said(await sso.context(cookieOf(junk))), junk.slice(0, 20)).to.equal('401 invalid_session')
    }
    for (const nothing of [{}, { Cookie: 'device_approval_grant=' }, { Cookie: 'device_approval_grants=x' }]) {
      expect(said(await sso.context(nothing))).to.equal('401 no_session')
      expect(said(await sso.approve(nothing, 'csrf', userCode))).to.equal('401 no_session')
    }
  })
})
