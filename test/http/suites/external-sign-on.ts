import { expect } from 'chai'
import type { WorldOptions } from '../../support/world.ts'
import { said } from '../flow.ts'
import { API, type Place } from '../place.ts'
import { anSsoPlace, DEVICE, EVE, grantOf, signAs, ssoOf } from '../sso.ts'

/** What a person without an account does and leaves behind, on whatever stores `options` name. */
export function externalSignOnSuite(name: string, options: WorldOptions): void {
  describe(`external sign-on: ${name}`, () => {
    let place: Place
    let sso: ReturnType<typeof ssoOf>
    beforeEach(async () => {
      place = await anSsoPlace({ ...options, trustedProxies: ['127.0.0.0/8'] })
      sso = ssoOf(place)
    })
    afterEach(() => place.close())

    const works = async (token: string) => (await place.get(`${API}/account`, { token })).status
    const poll = (deviceCode: string) =>
      place.post(`${DEVICE}/token`, { json: { device_code: deviceCode, client_id: 'difyctl' } })
    const events = async () => (await place.edit.auditRows()).map(({ event }) => event)

    it('F11 signs in, approves, and the terminal gets a dfoe_ token of that person and issuer', async () => {
      const { userCode, deviceCode } = await place.startFlow()
      expect(said(await poll(deviceCode))).to.equal('400 authorization_pending')
      const initiated = await sso.initiate(userCode)
      expect(initiated.status).to.equal(302)
      expect(initiated.headers.get('Location')).to.match(/^https:\/\/idp\.example\/sign-on\?state=/)

      const { cookie, csrf } = await sso.signOn(userCode)
      for (let look = 0; look < 2; look++) {
        const { json } = await sso.context(cookie)
        expect(json).to.include({
          subject_email: EVE.email,
          subject_issuer: EVE.issuer,
          user_code: userCode,
          csrf_token: csrf,
          expires_at: new Date(place.clock.now() + 300_000).toISOString(),
        })
      }
      const approved = await sso.approve(cookie, csrf, userCode.toLowerCase().replace('-', ' '))
      expect(approved.json, approved.text).to.deep.equal({ status: 'approved' })

      place.clock.advance(5000)
      const { json } = await poll(deviceCode)
      const { token, access_token, token_id, expires_at, ...rest } = json
      expect(token)
        .to.match(/^dfoe_[\w-]{43}$/)
        .and.to.equal(access_token)
      expect(rest).to.deep.equal({
        token_type: 'Bearer',
        expires_in: 1_209_595,
        scope: 'apps:run apps:read:permitted',
        subject_type: 'external_sso',
        subject_email: EVE.email,
        subject_issuer: EVE.issuer,
        account: null,
        workspaces: [],
        default_workspace_id: null,
      })
      const { json: account } = await place.get(`${API}/account`, { token })
      expect(account).to.deep.equal({
        subject_type: 'external_sso',
        subject_email: EVE.email,
        subject_issuer: EVE.issuer,
        account: null,
        workspaces: [],
        default_workspace_id: null,
      })
      const [row, ...others] = await place.edit.auditRows('oauth.device_flow_approved')
      expect(others).to.have.length(0)
      expect(row?.facts).to.include({
        token_id,
        subject_type: 'external_sso',
        subject_email: EVE.email,
        subject_issuer: EVE.issuer,
        account_id: null,
        tenant_id: null,
        client_id: 'difyctl',
        rotated: false,
      })
      expect(expires_at).to.equal(row?.facts.expires_at)
      expect((await events()).filter((event) => event.startsWith('oauth.'))).to.deep.equal([
        'oauth.device_code_issued',
        'oauth.device_flow_approved',
        'oauth.token_picked_up',
      ])
    })

    it('F05 an assertion is good once, also for another code, also signed again', async () => {
      const { userCode } = await place.startFlow()
      const other = await place.startFlow('other')
      const claims = sso.assertionClaims(userCode)
      const sealed = await signAs(claims)
      expect(grantOf(await sso.complete(sealed))).to.not.equal(null)
      for (const again of [
        sealed,
        await signAs({ ...claims, exp: sso.nowS() + 299 }),
        await signAs({ ...claims, user_code: other.userCode }),
        await signAs({ ...claims, email: 'adam@company.example' }),
      ]) {
        const replayed = await sso.complete(again)
        expect(said(replayed)).to.equal('400 invalid_sso_assertion')
        expect(grantOf(replayed)).to.equal(null)
      }
    })

    it('F05 of twenty browsers that bring one assertion at once, one gets a grant', async () => {
      const { userCode } = await place.startFlow()
      const sealed = await signAs(sso.assertionClaims(userCode))
      const replies = await Promise.all(Array.from({ length: 20 }, () => sso.complete(sealed)))
      expect(replies.filter((reply) => grantOf(reply) !== null)).to.have.length(1)
      expect(replies.filter((reply) => said(reply) === '400 invalid_sso_assertion')).to.have.length(19)
    })

    it('F05 a grant approves once: a second try finds the code decided', async () => {
      const { userCode, deviceCode } = await place.startFlow()
      const { cookie, csrf } = await sso.signOn(userCode)
      expect(said(await sso.approve(cookie, csrf, userCode))).to.equal('200 approved')
      expect(said(await sso.approve(cookie, csrf, userCode))).to.equal('409 user_code_not_pending')
      expect((await poll(deviceCode)).status).to.equal(200)
      expect(said(await sso.approve(cookie, csrf, userCode))).to.equal('404 expired_or_unknown')
      expect(await place.edit.tokenRows()).to.have.length(1)
    })

    it('F05 of ten approvals by one grant at once, one wins, and one token is minted', async () => {
      const { userCode } = await place.startFlow()
      const { cookie, csrf } = await sso.signOn(userCode)
      const replies = await Promise.all(Array.from({ length: 10 }, () => sso.approve(cookie, csrf, userCode)))
      const words = replies.map(said)
      expect(words.filter((word) => word === '200 approved')).to.have.length(1)
      const lost = ['401 session_already_consumed', '409 user_code_not_pending', '409 state_lost']
      expect(words.filter((word) => lost.includes(word))).to.have.length(9)
      expect(await place.edit.tokenRows()).to.have.length(1)
      expect(await place.edit.auditRows('oauth.device_flow_approved')).to.have.length(1)
    })

    it('of five people who approve one code at once, one wins, and theirs is the only token', async () => {
      const { userCode, deviceCode } = await place.startFlow()
      const people = await Promise.all(
        Array.from({ length: 5 }, (_, at) => sso.signOn(userCode, { email: `p${at}@company.example` })),
      )
      const replies = await Promise.all(people.map(({ cookie, csrf }) => sso.approve(cookie, csrf, userCode)))
      expect(replies.filter(({ status }) => status === 200)).to.have.length(1)
      expect(replies.filter(({ status }) => status === 409)).to.have.length(4)
      const winner = replies.findIndex(({ status }) => status === 200)
      expect((await poll(deviceCode)).json.subject_email).to.equal(`p${winner}@company.example`)
      expect(await place.edit.tokenRows()).to.have.length(1)
    })

    it('E24b the same person, client and label again: the row keeps its id, the old token is dead at once', async () => {
      const first = await sso.login()
      expect(await works(first.json.token)).to.equal(200)
      const second = await sso.login({ person: { email: ' EVE@company.example' } })
      expect(second.json.token_id).to.equal(first.json.token_id)
      expect(await works(first.json.token)).to.equal(401)
      expect(await works(second.json.token)).to.equal(200)
      const approvals = await place.edit.auditRows('oauth.device_flow_approved')
      expect(approvals.map(({ facts }) => facts.rotated)).to.deep.equal([false, true])
    })

    it('E24b another label, another person and another issuer are rows of their own', async () => {
      const logins = [
        await sso.login(),
        await sso.login({ label: 'desktop' }),
        await sso.login({ person: { email: 'eva@company.example' } }),
        await sso.login({ person: { issuer: 'https://other.example' } }),
      ]
      expect(new Set(logins.map(({ json }) => json.token_id)).size).to.equal(4)
      for (const { json } of logins) expect(await works(json.token)).to.equal(200)
      // An email alone never makes two people one: each sees only the sessions of their own issuer.
      const sessions = await place.get(`${API}/account/sessions`, { token: logins[3]?.json.token })
      expect(sessions.json.data.map(({ id }: { id: string }) => id)).to.deep.equal([logins[3]?.json.token_id])
    })

    it('E25 after a revocation, a new login is a new row', async () => {
      const first = await sso.login()
      await place.delete(`${API}/account/sessions/self`, { token: first.json.token })
      expect(await works(first.json.token)).to.equal(401)
      expect((await sso.login()).json.token_id).to.not.equal(first.json.token_id)
    })

    it('E06 the 61st sign-on of an hour from one address is refused; other addresses, codes and lookups are not', async () => {
      const here = { 'X-Forwarded-For': '203.0.113.1' }
      const { userCode } = await place.startFlow()
      // Junk counts too: a code is guessed here as well as anywhere.
      for (let call = 0; call < 60; call++) {
        expect((await sso.initiate(call % 2 === 0 ? userCode : 'AAAA-AAAA', here)).status).to.be.oneOf([302, 400])
      }
      const refused = await sso.initiate(userCode, here)
      expect(said(refused)).to.equal('429 rate_limited')
      expect(Number(refused.headers.get('Retry-After'))).to.be.within(1, 3600)
      expect(grantOf(refused)).to.equal(null)
      expect(refused.headers.getSetCookie()).to.deep.equal([])

      expect((await sso.initiate(userCode, { 'X-Forwarded-For': '203.0.113.2' })).status).to.equal(302)
      const code = { json: { client_id: 'difyctl', device_label: 'laptop' }, headers: here }
      expect((await place.post(`${DEVICE}/code`, code)).status).to.equal(200)
      expect((await place.get(`${DEVICE}/lookup?user_code=${userCode}`, { headers: here })).status).to.equal(200)
      const [hit] = await place.edit.auditRows('rate_limit.hit')
      expect(hit?.facts).to.include({ limit: 'sso-initiate', ip: '203.0.113.1' })

      place.clock.advance(3_600_000)
      expect(said(await sso.initiate('AAAA-AAAA', here))).to.equal('400 invalid_user_code')
    })
  })
}
