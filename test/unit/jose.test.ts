import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { createConsoleTokens } from '#adapters/jose/console-tokens.ts'
import { createSsoSealer } from '#adapters/jose/sso-sealer.ts'
import { consoleTokensContract } from '../contract/console-tokens.ts'
import { ssoSealerContract } from '../contract/sso-sealer.ts'
import { fakeClock } from '../support/clock.ts'

const KEY = { kid: 'k1', key: 'k'.repeat(32) }
const SESSION = { accountId: 'account-1', family: 'family-1' }

function open(keys: Parameters<typeof createConsoleTokens>[0]['keys']) {
  const clock = fakeClock()
  return { tokens: createConsoleTokens({ keys, now: clock.now }), clock }
}

consoleTokensContract('jose', open)
ssoSealerContract('jose', (keys) => {
  const clock = fakeClock()
  return { sealer: createSsoSealer({ keys, now: clock.now }), clock }
})

describe('console tokens as JWTs', () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

  /** Signs anything with the right key, as only a bug of ours could. */
  function forge(header: object, claims: object, hash = 'sha256'): string {
    const signed = `${part(header)}.${part(claims)}`
    return `${signed}.${createHmac(hash, KEY.key).update(signed).digest('base64url')}`
  }

  const { tokens, clock } = open([KEY])
  const header = { alg: 'HS256', kid: 'k1', typ: 'JWT' }
  const iat = Math.floor(clock.now() / 1000)
  const claims = { sub: 'account-1', sid: 'family-1', aud: 'latchkey.console.access', iat, exp: iat + 60 }

  it('carry key id, type, purpose and times', async () => {
    const token = await tokens.signAccess(SESSION, clock.now() + 60_000)
    expect(decodeProtectedHeader(token)).to.deep.equal(header)
    expect(decodeJwt(token)).to.deep.equal(claims)
  })

  it('are read when rightly made, so that the refusals below mean something', async () => {
    expect(await tokens.readAccess(forge(header, claims))).to.deep.equal(SESSION)
  })

  // RFC 8725 §2.1 and §3.1: the attacker picks the header.
  it('refuse alg none, with and without a signature, in any spelling', async () => {
    for (const alg of ['none', 'None', 'NONE', '']) {
      const unsigned = `${part({ ...header, alg })}.${part(claims)}.`
      expect(await tokens.readAccess(unsigned), alg).to.equal(null)
      expect(await tokens.readAccess(forge({ ...header, alg }, claims)), alg).to.equal(null)
    }
  })

  it('refuse another algorithm even with the right key', async () => {
    expect(await tokens.readAccess(forge({ ...header, alg: 'HS512' }, claims, 'sha512'))).to.equal(null)
    expect(await tokens.readAccess(forge({ ...header, alg: 'HS384' }, claims, 'sha384'))).to.equal(null)
  })

  it('refuse an unknown and a missing key id, and another type', async () => {
    const { kid: _kid, ...anonymous } = header
    expect(await tokens.readAccess(forge({ ...header, kid: 'k2' }, claims))).to.equal(null)
    expect(await tokens.readAccess(forge({ ...header, kid: '__proto__' }, claims))).to.equal(null)
    expect(await tokens.readAccess(forge(anonymous, claims))).to.equal(null)
    expect(await tokens.readAccess(forge({ ...header, typ: 'at+jwt' }, claims))).to.equal(null)
  })

  for (const claim of ['sub', 'sid', 'aud', 'iat', 'exp'] as const) {
    it(`refuse a missing or odd ${claim}`, async () => {
      const { [claim]: _gone, ...rest } = claims
      expect(await tokens.readAccess(forge(header, rest))).to.equal(null)
      for (const odd of [null, {}, true, 'elsewhere'].slice(0, claim === 'sub' || claim === 'sid' ? 3 : 4)) {
        expect(await tokens.readAccess(forge(header, { ...claims, [claim]: odd })), String(odd)).to.equal(null)
      }
    })
  }

  it('take at least one key', () => {
    expect(() => createConsoleTokens({ keys: [], now: clock.now })).to.throw('signing key')
  })
})

describe('seals of an external sign-on as JWTs', () => {
  it('carry what an Enterprise service looks for', async () => {
    const clock = fakeClock()
    const sealer = createSsoSealer({ keys: [KEY], now: clock.now })
    const callbackUrl = 'https://latchkey.example/openapi/v1/oauth/device/sso-complete'
    const sealed = await sealer.sealEnvelope({ userCode: 'WDJB-MJHT', nonce: 'n', callbackUrl })
    expect(decodeProtectedHeader(sealed)).to.deep.equal({ alg: 'HS256', kid: 'k1', typ: 'JWT' })
    const iat = Math.floor(clock.now() / 1000)
    expect(decodeJwt(sealed)).to.deep.equal({
      redirect_url: '',
      app_code: '',
      intent: 'device_flow',
      user_code: 'WDJB-MJHT',
      nonce: 'n',
      return_to: '',
      idp_callback_url: callbackUrl,
      aud: 'api.sso.state_envelope',
      iat,
      exp: iat + 900,
    })
  })

  it('take at least one key', () => {
    expect(() => createSsoSealer({ keys: [], now: Date.now })).to.throw('signing key')
  })
})
