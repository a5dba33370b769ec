import { request } from 'node:http'
import { expect } from 'chai'
import type { IdentityBridge } from '#application/ports/identity-bridge.ts'
import type { AccountStatus } from '#domain/workspace.ts'
import { aBridge } from '../support/policy.ts'
import { said } from './flow.ts'
import { aPlace, type Place } from './place.ts'
import { DEVICE, EVE, grantOf, ORIGIN, signAs, ssoOf } from './sso.ts'

const GRANT_COOKIE = /^device_approval_grant=([\w-]+\.){2}[\w-]+; (.*)$/

describe('corners of the external sign-on', () => {
  let place: Place
  let sso: ReturnType<typeof ssoOf>
  let envelopes: string[]
  type How = {
    readonly consoleApiUrl?: string | null
    readonly secure?: boolean
    readonly bridge?: Partial<IdentityBridge>
  }
  async function open({ consoleApiUrl = ORIGIN, secure = false, bridge = {} }: How = {}): Promise<void> {
    envelopes = []
    place = await aPlace({
      settings: { consoleApiUrl },
      cookies: { secure },
      change: (ports) => ({
        ...ports,
        bridge: aBridge({
          async signOnUrl(envelope) {
            envelopes.push(envelope)
            return `https://idp.example/sign-on?state=${envelope}`
          },
          ...bridge,
        }),
      }),
    })
    sso = ssoOf(place)
  }
  afterEach(() => place.close())

  /** A request under any Host header, which fetch would not send. */
  const askAs = (path: string, headers: Record<string, string>) =>
    new Promise<string>((resolve, reject) => {
      const ask = request(place.url + path, { headers }, (reply) => {
        reply.resume().on('end', () => resolve(JSON.stringify(reply.rawHeaders)))
      })
      ask.on('error', reject).end()
    })

  for (const headers of [
    { Host: 'evil.example' },
    { Host: 'evil.example:443', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http' },
    { Forwarded: 'host=evil.example;proto=http' },
  ]) {
    it(`F01 ${Object.keys(headers).join(', ')} decides neither the callback nor the issuer nor a Location`, async () => {
      await open()
      const { userCode } = await place.startFlow()
      const sent = await askAs(`${DEVICE}/sso-initiate?user_code=${userCode}`, headers)
      const envelope = await place.ports.sealer.readEnvelope(envelopes[0] ?? '')
      expect(envelope?.callbackUrl).to.equal(`${ORIGIN}${DEVICE}/sso-complete`)

      const sealed = await signAs(sso.assertionClaims(userCode))
      const back = await askAs(`${DEVICE}/sso-complete?sso_assertion=${sealed}`, headers)
      expect(back).to.contain('"/device?sso_verified=1"')
      expect(sent + back).to.not.contain('evil')
      const [, grant = ''] = /device_approval_grant=([^;]+)/.exec(back) ?? []
      expect(await place.ports.sealer.readGrant(grant, ORIGIN)).to.include({ email: EVE.email })
      expect(await place.ports.sealer.readGrant(grant, 'https://evil.example')).to.equal(null)
    })
  }

  it('F02 without CONSOLE_API_URL both halves are a 502, and the nonce stays good', async () => {
    await open({ consoleApiUrl: null })
    const { userCode } = await place.startFlow()
    const claims = sso.assertionClaims(userCode)
    for (const headers of [{}, { Accept: 'text/html' }]) {
      expect(said(await sso.initiate(userCode, headers))).to.equal('502 console_api_url_unset')
      expect(said(await sso.complete(await signAs(claims), headers))).to.equal('502 console_api_url_unset')
    }
    expect(envelopes).to.have.length(0)
    expect(await place.ports.nonces.spend('assertion', String(claims.nonce))).to.equal(true)
    expect(
      said(await sso.context({ Cookie: `device_approval_grant=${await signAs(sso.grantClaims(userCode))}` })),
    ).to.equal('401 invalid_session')
  })

  for (const [what, url, answer] of [
    ['no place', null, '502 sso_initiate_missing_url'],
    ['a place', 'https://idp.example/', '302 ok'],
  ] as const) {
    it(`a bridge that names ${what} answers ${answer}`, async () => {
      await open({ bridge: { signOnUrl: async () => url } })
      const { userCode } = await place.startFlow()
      expect(said(await sso.initiate(userCode))).to.equal(answer)
    })
  }

  it('sso-initiate takes the code as people type it, and no other', async () => {
    await open()
    const { userCode } = await place.startFlow()
    const { userCode: denied } = await place.startFlow()
    const { headers } = await place.signIn()
    await place.post(`${DEVICE}/deny`, { headers, json: { user_code: denied } })
    for (const typed of [userCode, ` ${userCode.toLowerCase().replace('-', ' ')} `, userCode.replace('-', '')]) {
      expect((await sso.initiate(typed)).status, typed).to.equal(302)
    }
    const seen = await Promise.all(envelopes.map((one) => place.ports.sealer.readEnvelope(one)))
    expect(seen.map((one) => one?.userCode)).to.deep.equal([userCode, userCode, userCode])
    expect(new Set(seen.map((one) => one?.nonce)).size, 'a nonce each').to.equal(3)
    expect(said(await sso.initiate(''))).to.equal('400 bad_request')
    expect((await sso.initiate('')).json.message).to.equal('user_code required')
    expect((await place.get(`${DEVICE}/sso-initiate`)).json.message).to.equal('user_code required')
    for (const bad of ['AAAA-AAAA', denied, 'x', 'x'.repeat(5000), '%']) {
      expect(said(await sso.initiate(bad)), bad.slice(0, 9)).to.equal('400 invalid_user_code')
    }
    place.clock.advance(900_000)
    expect(said(await sso.initiate(userCode)), 'expired').to.equal('400 invalid_user_code')
  })

  it('sso-complete without an assertion says so', async () => {
    await open()
    for (const path of [`${DEVICE}/sso-complete`, `${DEVICE}/sso-complete?sso_assertion=`]) {
      const reply = await place.get(path)
      expect([reply.status, reply.json.message]).to.deep.equal([400, 'sso_assertion required'])
    }
  })

  it('a code that is no longer pending is a 409, and the assertion spent', async () => {
    await open()
    const { userCode } = await place.startFlow()
    const { headers } = await place.signIn()
    await place.post(`${DEVICE}/deny`, { headers, json: { user_code: userCode } })
    for (const code of [userCode, 'AAAA-AAAA']) {
      const sealed = await signAs(sso.assertionClaims(code))
      const reply = await sso.complete(sealed)
      expect(said(reply)).to.equal('409 user_code_not_pending')
      expect(grantOf(reply)).to.equal(null)
      expect(said(await sso.complete(sealed))).to.equal('400 invalid_sso_assertion')
    }
  })

  for (const accept of ['text/html', 'text/html,application/xhtml+xml;q=0.9', 'application/json, text/html;q=0.1']) {
    it(`a browser that accepts ${accept} gets a page where others get a 400 or a 409`, async () => {
      await open()
      const headers = { Accept: accept }
      const asked = [
        await place.get(`${DEVICE}/sso-complete`, { headers }),
        await sso.complete('junk', headers),
        await sso.complete(await signAs(sso.assertionClaims('AAAA-AAAA')), headers),
      ]
      for (const reply of asked) {
        expect([reply.status, reply.headers.get('Location')]).to.deep.equal([302, '/device?sso_error=sso_failed'])
        expect(reply.headers.getSetCookie()).to.deep.equal([])
      }
    })
  }
  for (const accept of ['*/*', 'application/json', 'text/*', '', 'text/html;q=0']) {
    it(`who accepts ${JSON.stringify(accept)} gets the status`, async () => {
      await open()
      expect(said(await sso.complete('junk', { Accept: accept }))).to.equal('400 invalid_sso_assertion')
    })
  }

  for (const email of [
    'owner@example.test',
    'OWNER@Example.TEST',
    '  owner@example.test  ',
    '\towner@example.test\n',
  ]) {
    it(`F08 the email of an active account, as ${JSON.stringify(email)}, gets no grant, an audit row and a banner`, async () => {
      await open()
      const { userCode } = await place.startFlow()
      const reply = await sso.complete(await signAs(sso.assertionClaims(userCode, { email })))
      expect([reply.status, reply.headers.get('Location')]).to.deep.equal([
        302,
        '/device?sso_error=email_belongs_to_dify_account',
      ])
      expect(reply.headers.getSetCookie()).to.deep.equal([])
      const rows = await place.edit.auditRows('oauth.device_flow_rejected')
      expect(rows.map(({ facts }) => facts)).to.deep.equal([
        { reason: 'email_belongs_to_dify_account', client_id: 'difyctl', ip: '127.0.0.1' },
      ])
      expect((await place.get(`${DEVICE}/lookup?user_code=${userCode}`)).json.valid, 'its owner can approve').to.equal(
        true,
      )
    })
  }

  for (const status of ['pending', 'uninitialized', 'banned', 'closed'] satisfies AccountStatus[]) {
    it(`F08 an account that is ${status} does not keep its email from signing on`, async () => {
      await open()
      const { accountId } = await place.addMember(EVE.email)
      await place.edit.setAccountStatus(accountId, status)
      const { json } = await sso.login()
      expect(json).to.include({ subject_type: 'external_sso', subject_email: EVE.email })
      expect(json.account).to.equal(null)
    })
  }

  it('F08 an account made between sign-on and approval keeps the email, and is told', async () => {
    await open()
    const { userCode } = await place.startFlow()
    const { cookie, csrf } = await sso.signOn(userCode)
    await place.addMember(EVE.email)
    const reply = await sso.approve(cookie, csrf, userCode)
    expect(said(reply)).to.equal('403 email_belongs_to_dify_account')
    expect(await place.edit.auditRows('oauth.device_flow_rejected')).to.have.length(1)
    expect(await place.edit.tokenRows()).to.have.length(0)
  })

  for (const secure of [false, true]) {
    it(`F10 the grant’s cookie over http${secure ? 's' : ''} has exactly its attributes, to be set and to be cleared`, async () => {
      await open({ secure })
      const attributes = (maxAge: number) =>
        `Path=/openapi/v1/oauth/device; Max-Age=${maxAge}; SameSite=Lax; HttpOnly${secure ? '; Secure' : ''}`
      const cleared = `device_approval_grant=; ${attributes(0)}`
      const { userCode } = await place.startFlow()
      const initiated = await sso.initiate(userCode)
      expect(initiated.headers.getSetCookie()[0], 'a stale one goes').to.equal(cleared)
      expect(initiated.headers.getSetCookie()).to.have.length(2)

      const completed = await sso.complete(await signAs(sso.assertionClaims(userCode)))
      const [set = '', ...others] = completed.headers.getSetCookie()
      expect(others).to.have.length(0)
      expect(GRANT_COOKIE.exec(set)?.[2]).to.equal(attributes(300))

      const cookie = grantOf(completed) ?? {}
      const { json } = await sso.context(cookie)
      const refused = await sso.approve(cookie, 'wrong', userCode)
      expect(refused.headers.getSetCookie(), 'a refusal leaves it').to.deep.equal([])
      const approved = await sso.approve(cookie, json.csrf_token, userCode)
      expect(approved.headers.getSetCookie()).to.deep.equal([cleared])
    })
  }

  it('F10 an initiate that fails leaves the grant of an earlier sign-on where it is', async () => {
    await open()
    expect((await sso.initiate('AAAA-AAAA')).headers.getSetCookie()).to.deep.equal([])
  })

  it('a person whom the company has shut out gets no grant, an audit row and a banner', async () => {
    await open()
    const { userCode } = await place.startFlow()
    await place.cases.changeExternal.block({ email: EVE.email, issuer: null })
    const reply = await sso.complete(await signAs(sso.assertionClaims(userCode, { email: ' EVE@company.example' })))
    expect(reply.headers.get('Location')).to.equal('/device?sso_error=access_denied')
    expect(reply.headers.getSetCookie()).to.deep.equal([])
    const [row] = await place.edit.auditRows('oauth.device_flow_rejected')
    expect(row?.facts).to.include({ reason: 'external_subject_blocked' })
  })

  it('a person shut out between sign-on and pick-up hears access_denied, and no live row is left', async () => {
    await open()
    const { userCode, deviceCode } = await place.startFlow()
    const { cookie, csrf } = await sso.signOn(userCode)
    await place.cases.changeExternal.block({ email: EVE.email, issuer: EVE.issuer })
    // The grant is a minute old and rightly signed; the block is asked again where the token is handed over.
    expect(said(await sso.approve(cookie, csrf, userCode))).to.equal('200 approved')
    const poll = { json: { device_code: deviceCode, client_id: 'difyctl' } }
    expect(said(await place.post(`${DEVICE}/token`, poll))).to.equal('400 access_denied')
    expect((await place.edit.tokenRows()).filter(({ live }) => live)).to.have.length(0)
  })
})
