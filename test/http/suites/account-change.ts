import { expect } from 'chai'
import { makeUseCases } from '#application/use-cases.ts'
import { OWNER, SETTINGS, type WorldOptions } from '../../support/world.ts'
import { flowOf, said } from '../flow.ts'
import { API, aPlace, mintExternal, mintOwn, type Place } from '../place.ts'

/** Shutting a person out and in again, on whatever stores `options` name. */
export function accountChangeSuite(name: string, options: WorldOptions): void {
  describe(`banning and closing accounts: ${name}`, () => {
    let place: Place
    beforeEach(async () => {
      place = await aPlace(options)
    })
    afterEach(() => place.close())

    const account = (token: string) => place.get(`${API}/account`, { token })
    const change = (what: 'ban' | 'unban' | 'close', email = OWNER.email) => place.cases.changeAccount(email, what)

    it('B19 a ban ends the person’s tokens at the next request, cached ones too, and nobody else’s', async () => {
      const tokens = [await mintOwn(place, { label: 'a' }), await mintOwn(place, { label: 'b' })]
      const external = await mintExternal(place, OWNER.email)
      for (const token of [...tokens, external]) expect((await account(token)).status).to.equal(200)
      expect(await change('ban', ` ${OWNER.email.toUpperCase()}`)).to.deep.equal({ kind: 'changed', revokedTokens: 2 })
      for (const token of tokens) expect(said(await account(token))).to.equal('401 invalid_bearer')
      expect((await account(external)).status).to.equal(200)
      const revoked = await place.edit.auditRows('oauth.token_revoked')
      expect(revoked.map(({ facts }) => facts.reason)).to.deep.equal(['account_banned', 'account_banned'])
      const [changed] = await place.edit.auditRows('account.status_changed')
      expect(changed?.facts).to.deep.equal({ account_id: place.owner.accountId, status: 'banned' })
    })

    it('B19 another replica that holds the token in the shared cache refuses it as well', async () => {
      const token = await mintOwn(place)
      const replica = makeUseCases(place.ports, SETTINGS)
      expect((await replica.authenticate(token)).clientId).to.equal('difyctl')
      await change('ban')
      const refusal = await replica.authenticate(token).catch((error: unknown) => error)
      expect(refusal).to.have.property('code', 'invalid_bearer')
    })

    it('a ban signs the browsers out, and an unban brings back neither them nor the tokens', async () => {
      const browser = await place.signIn()
      const token = await mintOwn(place)
      const profile = () => place.get('/console/api/account/profile', { headers: browser.headers })
      const { userCode } = await place.startFlow()
      await change('ban')
      expect((await profile()).status).to.equal(401)
      expect(said(await flowOf(place).decide('approve', userCode, browser))).to.equal('401 unauthorized')
      const login = { json: { email: OWNER.email, password: OWNER.password } }
      expect(said(await place.post('/console/api/login', login))).to.equal('401 authentication_failed')

      expect(await change('unban')).to.deep.equal({ kind: 'changed', revokedTokens: 0 })
      expect((await profile()).status).to.equal(401)
      expect((await account(token)).status).to.equal(401)
      expect((await account((await place.login()).token)).status).to.equal(200)
    })

    it('E14 banned between approve and poll: access_denied, and no live row is left', async () => {
      const { deviceCode, userCode } = await place.startFlow()
      await flowOf(place).decide('approve', userCode, await place.signIn())
      await change('ban')
      expect(said(await flowOf(place).poll(deviceCode))).to.equal('400 access_denied')
      expect((await place.edit.tokenRows()).filter(({ live }) => live)).to.deep.equal([])
    })

    it('closing is for good; changes that do not fit the status are refused and change nothing', async () => {
      expect(await change('unban')).to.deep.equal({ kind: 'refused', status: 'active' })
      expect((await change('ban')).kind).to.equal('changed')
      expect(await change('ban')).to.deep.equal({ kind: 'refused', status: 'banned' })
      expect((await change('close')).kind).to.equal('changed')
      for (const what of ['ban', 'unban', 'close'] as const) {
        expect(await change(what)).to.deep.equal({ kind: 'refused', status: 'closed' })
      }
      expect(await change('ban', 'nobody@example.test')).to.deep.equal({ kind: 'unknown' })
      expect(await place.edit.auditRows('account.status_changed')).to.have.length(2)
    })

    it('of ten operators who ban at once one does, with one audit row', async () => {
      await mintOwn(place)
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => change('ban')))
      expect(outcomes.filter(({ kind }) => kind === 'changed')).to.deep.equal([{ kind: 'changed', revokedTokens: 1 }])
      expect(await place.edit.auditRows('account.status_changed')).to.have.length(1)
      expect(await place.edit.auditRows('oauth.token_revoked')).to.have.length(1)
    })

    it('a ban whose audit row cannot be written is no ban: status and tokens stand', async () => {
      const token = await mintOwn(place)
      const broken = makeUseCases(
        {
          ...place.ports,
          audit: {
            async append(event, atMs) {
              if (event.event === 'oauth.token_revoked') throw new Error('the disk is full')
              await place.ports.audit.append(event, atMs)
            },
          },
        },
        SETTINGS,
      )
      const failed = await broken.changeAccount(OWNER.email, 'ban').catch((error: unknown) => error)
      expect(failed).to.have.property('message', 'the disk is full')
      expect((await place.ports.accounts.find(place.owner.accountId))?.status).to.equal('active')
      expect((await account(token)).status).to.equal(200)
      expect(await place.edit.auditRows('account.status_changed')).to.deep.equal([])
    })
  })
}
