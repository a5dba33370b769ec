import { expect } from 'chai'
import sinon from 'sinon'
import { ACCOUNT_TOKEN } from '#domain/token-kind.ts'
import type { WorldOptions } from '../../support/world.ts'
import { OWNER } from '../../support/world.ts'
import { said } from '../flow.ts'
import { API, aColleague, aPlace, aToken, mintExternal, mintOwn, NO_BEARER_LIMIT, type Place } from '../place.ts'

/** RFC 7662 and RFC 7009, on whatever stores `options` name. */
export function oauthSuite(name: string, options: WorldOptions): void {
  describe(`introspection and revocation: ${name}`, () => {
    let place: Place
    let own: string
    beforeEach(async () => {
      place = await aPlace({ settings: NO_BEARER_LIMIT, ...options })
      own = await mintOwn(place, { label: 'caller' })
    })
    afterEach(async () => {
      sinon.restore()
      await place.close()
    })

    const introspect = (token: string, by = own) =>
      place.post(`${API}/oauth/introspect`, { token: by, form: { token, token_type_hint: 'access_token' } })
    const revoke = (token: string) => place.post(`${API}/oauth/revoke`, { form: { token } })
    const workspaces = (token: string) => place.get(`${API}/workspaces`, { token })

    it('B24 tells what a live token of the caller is good for', async () => {
      const other = await mintOwn(place, { label: 'other', lifeMs: 3_600_000 })
      const reply = await introspect(other)
      const iat = Math.floor(place.clock.now() / 1000)
      expect([reply.status, reply.json]).to.deep.equal([
        200,
        {
          active: true,
          scope: 'full',
          client_id: 'difyctl',
          username: OWNER.email,
          token_type: 'Bearer',
          exp: iat + 3600,
          iat,
          sub: place.owner.accountId,
        },
      ])
      expect(reply.headers.get('cache-control')).to.equal('no-store')
    })

    it('B24 an external subject asks about its own tokens, and is not the account with its email', async () => {
      const external = await mintExternal(place, OWNER.email)
      const reply = await introspect(external, external)
      expect(reply.json).to.include({
        active: true,
        scope: 'apps:run apps:read:permitted',
        sub: `https://idp.partner.example|${OWNER.email}`,
      })
      expect((await introspect(external)).text).to.equal('{"active":false}')
      expect((await introspect(own, external)).text).to.equal('{"active":false}')
    })

    it('B24 revoked, expired, foreign, unknown and malformed tokens are exactly inactive', async () => {
      const revoked = await mintOwn(place, { label: 'revoked' })
      await revoke(revoked)
      const expired = await mintOwn(place, { label: 'expired', lifeMs: 1000 })
      place.clock.advance(1000)
      const foreign = await mintExternal(place)
      const colleague = await aColleague(place, 'normal')
      for (const token of [revoked, expired, foreign, colleague.token, aToken(ACCOUNT_TOKEN), 'dfoa_x', 'x']) {
        const reply = await introspect(token)
        expect([reply.status, reply.text]).to.deep.equal([200, '{"active":false}'])
      }
    })

    it('B24 takes the caller’s own bearer, and challenges whoever brings none or a dead one', async () => {
      const none = await place.post(`${API}/oauth/introspect`, { form: { token: own } })
      expect([said(none), none.headers.get('www-authenticate')]).to.deep.equal([
        '401 bearer_required',
        'Bearer realm="api"',
      ])
      const dead = await introspect(own, aToken(ACCOUNT_TOKEN))
      expect(said(dead)).to.equal('401 invalid_bearer')
      expect(dead.headers.get('www-authenticate')).to.equal('Bearer realm="api", error="invalid_token"')
    })

    it('B25 a revoke takes effect at the next request, with one audit row', async () => {
      const token = await mintOwn(place, { label: 'held' })
      expect((await workspaces(token)).status).to.equal(200)
      const reply = await revoke(token)
      expect([reply.status, reply.text]).to.deep.equal([200, '{}'])
      expect((await workspaces(token)).status).to.equal(401)
      expect((await revoke(token)).status).to.equal(200)
      const rows = await place.edit.auditRows('oauth.token_revoked')
      expect(rows).to.have.length(1)
      expect(rows[0]?.facts).to.include({ reason: 'revoked_by_holder' })
      expect((await workspaces(own)).status).to.equal(200)
    })

    it('B25 unknown, malformed and dead tokens are 200 as well; a request without one is 400', async () => {
      for (const token of [aToken(ACCOUNT_TOKEN), 'dfoa_x', 'app-x']) {
        const reply = await revoke(token)
        expect([reply.status, reply.text]).to.deep.equal([200, '{}'])
      }
      for (const form of ['', 'token=', 'token=a&token=b', `token=${'x'.repeat(4097)}`]) {
        expect(said(await place.post(`${API}/oauth/revoke`, { form })), form.slice(0, 20)).to.equal(
          '400 invalid_request',
        )
      }
    })

    it('B25 a malformed token costs no look into the store', async () => {
      const find = sinon.spy(place.ports.tokens, 'findByHash')
      await revoke(own.slice(0, -1))
      await introspect(own.slice(0, -1))
      expect(find.args.filter(([hash]) => hash !== place.ports.digest(own))).to.deep.equal([])
    })
  })
}
