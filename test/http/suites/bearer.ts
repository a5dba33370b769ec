import { expect } from 'chai'
import sinon from 'sinon'
import { ACCOUNT_TOKEN, EXTERNAL_TOKEN } from '#domain/token-kind.ts'
import type { Reply, WorldOptions } from '../../support/world.ts'
import { chatFile } from '../app-files.ts'
import { API, aPlace, aToken, mintExternal, mintOwn, NO_BEARER_LIMIT, type Place } from '../place.ts'

const PER_MINUTE = 60
const settings = { bearer: { enabled: true, perMinute: PER_MINUTE } }

/** What every bearer meets on the way in, on whatever stores `options` name. */
export function bearerSuite(name: string, options: WorldOptions): void {
  describe(`bearers: ${name}`, () => {
    let place: Place
    beforeEach(async () => {
      place = await aPlace({ settings, ...options })
    })
    afterEach(async () => {
      sinon.restore()
      await place.close()
    })

    const workspaces = (token: string) => place.get(`${API}/workspaces`, { token })
    const times = <R>(count: number, ask: () => Promise<R>) => Promise.all(Array.from({ length: count }, ask))
    const withStatus = (replies: readonly Reply[], status: number) =>
      replies.filter((one) => one.status === status).length

    it('B01 scopes come from the kind of token: dfoa_ is full, dfoe_ runs apps and lists permitted ones', async () => {
      const own = await place.cases.authenticate(await mintOwn(place))
      const external = await place.cases.authenticate(await mintExternal(place))
      expect(own.scopes).to.deep.equal(['full'])
      expect(external.scopes).to.deep.equal(['apps:run', 'apps:read:permitted'])
    })

    it('B07 unknown prefix, bad checksum, unknown, revoked and expired bearers get one and the same answer', async () => {
      const revoked = await mintOwn(place, { label: 'revoked' })
      await place.delete(`${API}/account/sessions/self`, { token: revoked })
      const expired = await mintOwn(place, { label: 'expired', lifeMs: 1000 })
      place.clock.advance(1000)
      const good = aToken(ACCOUNT_TOKEN)
      const misspelt = good.slice(0, -1) + (good.endsWith('A') ? 'B' : 'A')
      const bearers = {
        unknown: good,
        unknownExternal: aToken(EXTERNAL_TOKEN),
        misspelt,
        truncated: good.slice(0, -4),
        moved: good.replace('dfoa_', 'dfoe_'),
        unknownPrefix: 'dfox_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
        noise: 'x',
        revoked,
        expired,
      }
      for (const [kind, token] of Object.entries(bearers)) {
        const reply = await workspaces(token)
        // Whoever tries tokens must not learn which of them once were good.
        expect(reply.text, kind).to.equal(
          '{"error":"invalid_bearer","code":"unauthorized","message":"invalid_bearer","status":401}',
        )
        expect(reply.status, kind).to.equal(401)
        expect(reply.headers.get('www-authenticate'), kind).to.equal('Bearer realm="api", error="invalid_token"')
      }
    })

    it('B08 the limit is spent before the store is asked, for a revoked token too', async () => {
      const token = await mintOwn(place)
      await place.delete(`${API}/account/sessions/self`, { token })
      const replays = []
      for (let call = 1; call < PER_MINUTE; call++) replays.push(await workspaces(token))
      expect(withStatus(replays, 401)).to.equal(PER_MINUTE - 1)
      const find = sinon.spy(place.ports.tokens, 'findByHash')
      expect((await workspaces(token)).status).to.equal(429)
      expect(find.callCount).to.equal(0)

      // The death of that one is cached; of a live one that is not, whoever looked first would have to ask.
      const live = await mintOwn(place)
      for (let call = 0; call < PER_MINUTE; call++) await workspaces(live)
      await place.ports.cache.forget([place.ports.digest(live)])
      find.resetHistory()
      expect((await workspaces(live)).status).to.equal(429)
      expect(find.callCount).to.equal(0)
    })

    it('B09 a request spends its token once, on read routes and in the run pipeline', async () => {
      const token = await mintOwn(place)
      const appId = await place.addApp(chatFile())
      const admit = sinon.spy(place.ports.limiter, 'admit')
      const spent = () =>
        admit.args.flatMap(([buckets]) => buckets).filter(({ key }) => key === `bearer:${place.ports.digest(token)}`)
      const asks: readonly (() => Promise<Reply>)[] = [
        () => workspaces(token),
        () => place.get(`${API}/account`, { token }),
        () => place.get(`${API}/account/sessions`, { token }),
        () => place.get(`${API}/apps?workspace_id=${place.owner.workspaceId}`, { token }),
        () => place.get(`${API}/apps/${appId}/describe`, { token }),
        () => place.post(`${API}/apps/${appId}/run`, { token, json: { inputs: {}, query: 'hi' } }),
        () => place.post(`${API}/apps/${appId}/run`, { token, json: {} }),
      ]
      for (const [index, ask] of asks.entries()) {
        await ask()
        expect(spent()).to.have.length(index + 1)
      }
    })

    it('B10 sixty calls a minute pass, the next hears when to come back', async () => {
      const token = await mintOwn(place)
      for (let call = 0; call < PER_MINUTE; call++) expect((await workspaces(token)).status).to.equal(200)
      const refused = await workspaces(token)
      expect(refused.status).to.equal(429)
      const retryAfterS = Number(refused.headers.get('retry-after'))
      expect(retryAfterS).to.be.at.least(1).and.at.most(60)
      expect(refused.json).to.deep.equal({
        error: 'rate_limited',
        code: 'too_many_requests',
        message: 'rate_limited',
        status: 429,
        retry_after_ms: retryAfterS * 1000,
      })
      expect(refused.headers.has('www-authenticate')).to.equal(false)
      place.clock.advance(retryAfterS * 1000)
      expect((await workspaces(token)).status).to.equal(200)
    })

    it('B11 all routes share one bucket, and every token has its own', async () => {
      const token = await mintOwn(place)
      const half = PER_MINUTE / 2
      await times(half, () => workspaces(token))
      const rest = await times(half, () => place.get(`${API}/account/sessions`, { token }))
      expect(withStatus(rest, 200)).to.equal(half)
      expect((await place.get(`${API}/account`, { token })).status).to.equal(429)
      expect((await workspaces(await mintOwn(place, { label: 'other' }))).status).to.equal(200)
    })

    it('B12 a limit of 0 is none', async () => {
      const open = await aPlace({ ...options, settings: NO_BEARER_LIMIT })
      try {
        const token = await mintOwn(open)
        const replies = await times(PER_MINUTE * 2, () => open.get(`${API}/workspaces`, { token }))
        expect(withStatus(replies, 200)).to.equal(PER_MINUTE * 2)
      } finally {
        await open.close()
      }
    })

    it('B13 the wait lasts until the oldest call leaves the window, and never less than a second', async () => {
      const token = await mintOwn(place)
      await workspaces(token)
      place.clock.advance(10_000)
      await times(PER_MINUTE - 1, () => workspaces(token))
      place.clock.advance(20_000)
      expect((await workspaces(token)).headers.get('retry-after')).to.equal('30')
      place.clock.advance(29_999)
      const early = await workspaces(token)
      expect([early.status, early.headers.get('retry-after')]).to.deep.equal([429, '1'])
      place.clock.advance(1)
      expect((await workspaces(token)).status).to.equal(200)
    })

    it('B14 of a hundred concurrent calls exactly sixty pass', async () => {
      const token = await mintOwn(place)
      const replies = await times(100, () => workspaces(token))
      expect(withStatus(replies, 200)).to.equal(PER_MINUTE)
      expect(withStatus(replies, 429)).to.equal(100 - PER_MINUTE)
    })

    it('B15 a warm request asks the limiter once, and no store at all', async () => {
      const token = await mintOwn(place)
      await workspaces(token)
      const admit = sinon.spy(place.ports.limiter, 'admit')
      const { tokens, accounts, memberships, cache } = place.ports
      const others = [
        sinon.spy(tokens, 'findByHash'),
        sinon.spy(accounts, 'find'),
        sinon.spy(memberships, 'list'),
        sinon.spy(memberships, 'find'),
        sinon.spy(cache, 'put'),
        sinon.spy(cache, 'recordVerdict'),
      ]
      expect((await workspaces(token)).status).to.equal(200)
      expect(admit.callCount).to.equal(1)
      for (const spy of others) expect(spy.callCount).to.equal(0)
    })

    it('B18 an entry of the cache past its token’s end is refused, and the row is ended once', async () => {
      const token = await mintOwn(place, { lifeMs: 30_000 })
      expect((await workspaces(token)).status).to.equal(200)
      place.clock.advance(29_999)
      expect((await workspaces(token)).status).to.equal(200)
      place.clock.advance(1)
      const replies = await times(5, () => workspaces(token))
      expect(withStatus(replies, 401)).to.equal(5)
      expect(await place.edit.tokenRows()).to.have.length(1)
      expect((await place.edit.tokenRows())[0]?.live).to.equal(false)
      expect(await place.edit.auditRows('oauth.token_expired')).to.have.length(1)
    })

    for (const foreign of ['app-AAAAAAAAAAAAAAAAAAAAAAAA', 'dfp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA']) {
      it(`B22 a ${foreign.slice(0, 4)} key is no bearer here`, async () => {
        const admit = sinon.spy(place.ports.limiter, 'admit')
        const reply = await workspaces(foreign)
        expect([reply.status, reply.json.error]).to.deep.equal([401, 'invalid_bearer'])
        expect(admit.callCount).to.equal(0)
      })
    }
  })
}
