import { expect } from 'chai'
import sinon from 'sinon'
import type { Browser, WorldOptions } from '../../support/world.ts'
import { OWNER } from '../../support/world.ts'
import { flowOf, said } from '../flow.ts'
import { aPlace, NO_BEARER_LIMIT, type Place } from '../place.ts'

const settings = { ...NO_BEARER_LIMIT, decidePerHour: 0 }
const PROXY = ['127.0.0.0/8']

/** The device flow end to end, on whatever stores `options` name. */
export function deviceFlowSuite(name: string, options: WorldOptions): void {
  describe(`device flow: ${name}`, () => {
    let place: Place
    let flow: ReturnType<typeof flowOf>
    let browser: Browser

    beforeEach(async () => {
      place = await aPlace({ settings, trustedProxies: PROXY, ...options })
      flow = flowOf(place)
      browser = await place.signIn()
    })
    afterEach(async () => {
      sinon.restore()
      await place.close()
    })

    it('E01 a code, a lookup, an approve, a poll: the token works', async () => {
      const started = await flow.code()
      expect(started.status).to.equal(200)
      const { device_code: deviceCode, user_code: userCode } = started.json
      expect(deviceCode).to.match(/^dc_[\w-]{32}$/)
      expect(userCode).to.match(/^[A-HJ-NP-Y3-9]{4}-[A-HJ-NP-Y3-9]{4}$/)
      expect(started.json).to.deep.equal({
        device_code: deviceCode,
        user_code: userCode,
        verification_uri: `${place.url}/device`,
        verification_uri_complete: `${place.url}/device?user_code=${userCode}`,
        expires_in: 900,
        interval: 5,
      })
      expect((await flow.lookUp(userCode)).json).to.deep.equal({
        valid: true,
        expires_in_remaining: 900,
        client_id: 'difyctl',
      })
      expect(said(await flow.poll(deviceCode))).to.equal('400 authorization_pending')
      expect(said(await flow.decide('approve', userCode, browser))).to.equal('200 approved')

      place.clock.advance(10_000)
      const polled = await flow.poll(deviceCode)
      expect(polled.status).to.equal(200)
      const { token, token_id: tokenId } = polled.json
      const { accountId, workspaceId } = place.owner
      expect(token).to.match(/^dfoa_[\w-]{43}$/)
      expect(polled.json).to.deep.equal({
        token,
        access_token: token,
        token_type: 'Bearer',
        expires_in: 14 * 86_400 - 10,
        scope: 'full',
        expires_at: new Date(place.clock.now() - 10_000 + 14 * 86_400_000).toISOString(),
        subject_type: 'account',
        account: { id: accountId, email: OWNER.email, name: OWNER.name },
        workspaces: [{ id: workspaceId, name: `${OWNER.name}'s Workspace`, role: 'owner' }],
        default_workspace_id: workspaceId,
        token_id: tokenId,
      })
      expect(await flow.works(token)).to.equal(200)
      const events = (await place.edit.auditRows()).map(({ event }) => event)
      expect(events.filter((event) => event.startsWith('oauth.'))).to.deep.equal([
        'oauth.device_code_issued',
        'oauth.device_flow_approved',
        'oauth.token_picked_up',
      ])
    })

    it('E06 the 61st code of an hour from one address is refused; other addresses and lookups are not', async () => {
      const here = { 'X-Forwarded-For': '203.0.113.1' }
      // Spent before the body is read, so that bad requests count too.
      for (let call = 0; call < 60; call++) await flow.code(call % 2 === 0 ? {} : undefined, here)
      const refused = await flow.code(undefined, here)
      expect(said(refused)).to.equal('429 rate_limited')
      expect(Number(refused.headers.get('retry-after')))
        .to.be.at.least(1)
        .and.at.most(3600)
      expect((await flow.code(undefined, { 'X-Forwarded-For': '203.0.113.2' })).status).to.equal(200)

      for (let call = 0; call < 60; call++) expect((await flow.lookUp('AAAA-AAAA', here)).status).to.equal(200)
      expect(said(await flow.lookUp('AAAA-AAAA', here))).to.equal('429 rate_limited')
      place.clock.advance(300_000)
      expect((await flow.lookUp('AAAA-AAAA', here)).status).to.equal(200)
      expect(said(await flow.code(undefined, here))).to.equal('429 rate_limited')
      place.clock.advance(3_300_000)
      expect((await flow.code(undefined, here)).status).to.equal(200)
    })

    it('E07 polling too fast raises the interval by five seconds for good, up to thirty', async () => {
      const { deviceCode } = await place.startFlow()
      const first = await flow.poll(deviceCode)
      expect([said(first), first.json.interval]).to.deep.equal(['400 authorization_pending', 5])
      for (const interval of [10, 15, 20, 25, 30, 30]) {
        const early = await flow.poll(deviceCode)
        expect([said(early), early.json.interval]).to.deep.equal(['400 slow_down', interval])
        expect(early.headers.get('retry-after')).to.equal(String(interval))
      }
      place.clock.advance(30_000)
      const patient = await flow.poll(deviceCode)
      expect([said(patient), patient.json.interval]).to.deep.equal(['400 authorization_pending', 30])
      place.clock.advance(5000)
      expect(said(await flow.poll(deviceCode))).to.equal('400 slow_down')
    })

    it('E08 a poll 4.3 s after a 5 s interval is forgiven, one after 4.2 s is not', async () => {
      const { deviceCode } = await place.startFlow()
      await flow.poll(deviceCode)
      place.clock.advance(4300)
      expect(said(await flow.poll(deviceCode))).to.equal('400 authorization_pending')
      place.clock.advance(4200)
      expect(said(await flow.poll(deviceCode))).to.equal('400 slow_down')
    })

    it('E09 a decision is never hidden by slow_down: token, denial and expiry are told at once', async () => {
      const yes = await place.startFlow('yes')
      await flow.poll(yes.deviceCode)
      await flow.decide('approve', yes.userCode, browser)
      expect((await flow.poll(yes.deviceCode)).status).to.equal(200)

      const no = await place.startFlow('no')
      await flow.poll(no.deviceCode)
      await flow.poll(no.deviceCode)
      expect(said(await flow.decide('deny', no.userCode, browser))).to.equal('200 denied')
      expect(said(await flow.poll(no.deviceCode))).to.equal('400 access_denied')
      expect(said(await flow.poll(no.deviceCode))).to.equal('400 expired_token')

      const late = await place.startFlow('late')
      place.clock.advance(899_999)
      expect(said(await flow.poll(late.deviceCode))).to.equal('400 authorization_pending')
      place.clock.advance(1)
      expect(said(await flow.poll(late.deviceCode))).to.equal('400 expired_token')
    })

    it('E09b a code approved in its last second is still good half a minute later', async () => {
      const { deviceCode, userCode } = await place.startFlow()
      place.clock.advance(899_000)
      expect(said(await flow.decide('approve', userCode, await place.signIn()))).to.equal('200 approved')
      place.clock.advance(30_000)
      expect((await flow.poll(deviceCode)).status).to.equal(200)
    })

    it('E10 another client’s poll hears expired_token and takes nothing away', async () => {
      const { deviceCode } = await flow.approved(browser)
      expect(said(await flow.poll(deviceCode, 'latchkey'))).to.equal('400 expired_token')
      expect((await flow.poll(deviceCode)).status).to.equal(200)
    })

    it('E11 exactly one of fifty concurrent polls gets the token', async () => {
      const { deviceCode } = await flow.approved(browser)
      const polls = await Promise.all(Array.from({ length: 50 }, () => flow.poll(deviceCode)))
      const tally = Object.groupBy(polls.map(said), (word) => word)
      expect(tally['200 ok']).to.have.length(1)
      expect(tally['400 expired_token']).to.have.length(49)
      expect(await place.edit.auditRows('oauth.token_picked_up')).to.have.length(1)
    })

    it('E12 of approve, deny and approve at once one wins, is recorded once, and the others hear 409', async () => {
      for (let round = 0; round < 10; round++) {
        const { deviceCode, userCode } = await place.startFlow(`round ${round}`)
        const replies = await Promise.all([
          flow.decide('approve', userCode, browser),
          flow.decide('deny', userCode, browser),
          flow.decide('approve', userCode, browser),
        ])
        const statuses = replies.map(({ status }) => status).toSorted()
        expect(statuses).to.deep.equal([200, 409, 409])
        const approvals = await place.edit.auditRows('oauth.device_flow_approved')
        const denials = await place.edit.auditRows('oauth.device_flow_denied')
        expect(approvals.length + denials.length).to.equal(round + 1)
        const won = replies.find(({ status }) => status === 200)?.json.status
        expect((await flow.poll(deviceCode)).status).to.equal(won === 'approved' ? 200 : 400)
      }
    })

    it('E13 an approve after expiry is 404, and a late one never revives a consumed code', async () => {
      const expired = await place.startFlow('expired')
      place.clock.advance(900_000)
      const fresh = await place.signIn()
      expect(said(await flow.decide('approve', expired.userCode, fresh))).to.equal('404 expired_or_unknown')
      expect(await flow.liveRows()).to.have.length(0)

      const used = await flow.approved(browser, 'used')
      expect((await flow.poll(used.deviceCode)).status).to.equal(200)
      for (const word of ['approve', 'deny'] as const) {
        expect(said(await flow.decide(word, used.userCode, fresh))).to.equal('404 expired_or_unknown')
      }
      expect(said(await flow.poll(used.deviceCode))).to.equal('400 expired_token')
      expect(await flow.liveRows()).to.have.length(1)
    })
  })
}
