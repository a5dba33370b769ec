import { expect } from 'chai'
import sinon from 'sinon'
import type { Browser, WorldOptions } from '../../support/world.ts'
import { flowOf, said } from '../flow.ts'
import { API, aPlace, NO_BEARER_LIMIT, type Place } from '../place.ts'

const settings = { ...NO_BEARER_LIMIT, decidePerHour: 0 }
const PROXY = ['127.0.0.0/8']

/** What becomes of codes and of the tokens they were traded for, on whatever stores `options` name. */
export function deviceGrantSuite(name: string, options: WorldOptions): void {
  describe(`codes and grants: ${name}`, () => {
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

    it('E14 an account banned between approve and poll gets nothing, and no live row is left', async () => {
      const { deviceCode } = await flow.approved(browser)
      await place.edit.setAccountStatus(place.owner.accountId, 'banned')
      expect(said(await flow.poll(deviceCode))).to.equal('400 access_denied')
      expect(await flow.liveRows()).to.have.length(0)
      expect(said(await flow.poll(deviceCode))).to.equal('400 expired_token')
      expect(await place.edit.auditRows('oauth.token_revoked')).to.have.length(1)
    })

    it('E14 a member removed between approve and poll gets nothing, and no live row is left', async () => {
      const { accountId } = await place.addMember('mia@example.test')
      browser = await place.signIn('mia@example.test')
      const { deviceCode } = await flow.approved(browser)
      await place.ports.memberships.remove(accountId, place.owner.workspaceId)
      expect(said(await flow.poll(deviceCode))).to.equal('400 access_denied')
      expect(await flow.liveRows()).to.have.length(0)
    })

    it('E14 a token revoked between approve and poll is not handed over', async () => {
      const { token } = await place.login({ label: 'other', browser })
      const { deviceCode } = await flow.approved(browser)
      const { json } = await place.get(`${API}/account/sessions`, { token })
      const waiting = json.data.find(({ current }: { current: boolean }) => !current)
      await place.delete(`${API}/account/sessions/${waiting.id}`, { token })
      expect(said(await flow.poll(deviceCode))).to.equal('400 access_denied')
      expect(await flow.liveRows()).to.have.length(1)
    })

    it('E20 a lookup tells the real remaining time, and details of the device to the signed-in only', async () => {
      const agent = { 'User-Agent': 'difyctl/1.2', 'X-Forwarded-For': '203.0.113.9' }
      const { json } = await flow.code({ client_id: 'difyctl', device_label: 'my laptop' }, agent)
      const askedAt = new Date(place.clock.now()).toISOString()
      place.clock.advance(100_500)
      const plain = { valid: true, expires_in_remaining: 800, client_id: 'difyctl' }
      expect((await flow.lookUp(json.user_code)).json).to.deep.equal(plain)
      const seen = await flow.lookUp(json.user_code, browser.headers)
      expect(seen.json).to.deep.equal({
        ...plain,
        device_label: 'my laptop',
        created_ip: '203.0.113.9',
        user_agent: 'difyctl/1.2',
        created_at: askedAt,
      })
      // Who reads the page must never be able to poll in the terminal's place.
      expect(seen.text).to.not.contain(json.device_code)
    })

    it('E20 a code is understood however it is typed, wherever it is typed', async () => {
      const spellings: readonly ((code: string) => string)[] = [
        (code) => code.toLowerCase(),
        (code) => code.replace('-', ''),
        (code) => `  ${code.replace('-', ' ')} `,
        (code) => code.replace('-', '–').toLowerCase(),
      ]
      for (const [index, spell] of spellings.entries()) {
        for (const word of ['approve', 'deny'] as const) {
          const { userCode } = await place.startFlow(`${word} ${index}`)
          expect((await flow.lookUp(spell(userCode))).json.valid, spell(userCode)).to.equal(true)
          expect((await flow.decide(word, spell(userCode), browser)).status, spell(userCode)).to.equal(200)
        }
      }
    })

    it('E20 decided and unknown codes are invalid', async () => {
      const decided = { valid: false, expires_in_remaining: 0, client_id: 'difyctl' }
      const unknown = { ...decided, client_id: null }
      const { userCode, deviceCode } = await flow.approved(browser)
      expect((await flow.lookUp(userCode)).json).to.deep.equal(decided)
      const denied = await place.startFlow('denied')
      await flow.decide('deny', denied.userCode, browser)
      expect((await flow.lookUp(denied.userCode)).json).to.deep.equal(decided)
      await flow.poll(deviceCode)
      expect((await flow.lookUp(userCode)).json).to.deep.equal(unknown)
      for (const typed of ['AAAA-AAAA', 'IIII-0000', 'short', '💩']) {
        expect((await flow.lookUp(typed)).json, typed).to.deep.equal(unknown)
      }
    })

    it('E24 the same device again keeps its row; the old token is dead at once, the new one lives', async () => {
      const old = await place.login({ browser })
      expect(await flow.works(old.token)).to.equal(200)
      const fresh = await place.login({ browser })
      expect(fresh.tokenId).to.equal(old.tokenId)
      // The old one was warm in the cache.
      expect(await flow.works(old.token)).to.equal(401)
      expect(await flow.works(fresh.token)).to.equal(200)
      const other = await place.login({ label: 'desktop', browser })
      expect(other.tokenId).to.not.equal(old.tokenId)
      const client = await place.login({ clientId: 'latchkey', browser })
      expect(client.tokenId).to.not.equal(old.tokenId)
      for (const { token } of [fresh, other, client]) expect(await flow.works(token)).to.equal(200)
      const rotated = (await place.edit.auditRows('oauth.device_flow_approved')).map(({ facts }) => facts.rotated)
      expect(rotated).to.deep.equal([false, true, false, false])
    })

    it('E25 a login after a revoke is a new row', async () => {
      const old = await place.login({ browser })
      await place.delete(`${API}/account/sessions/self`, { token: old.token })
      const fresh = await place.login({ browser })
      expect(fresh.tokenId).to.not.equal(old.tokenId)
      expect([await flow.works(old.token), await flow.works(fresh.token)]).to.deep.equal([401, 200])
    })

    it('E29 a poll from another address is recorded once and still answered with the token', async () => {
      const { json } = await flow.code(undefined, { 'X-Forwarded-For': '203.0.113.1' })
      const elsewhere = { 'X-Forwarded-For': '198.51.100.7' }
      await flow.poll(json.device_code, 'difyctl', elsewhere)
      await flow.decide('approve', json.user_code, browser)
      const polled = await flow.poll(json.device_code, 'difyctl', elsewhere)
      expect(polled.status).to.equal(200)
      const rows = await place.edit.auditRows('oauth.device_code_cross_ip_poll')
      expect(rows.map(({ facts }) => facts)).to.deep.equal([
        { token_id: polled.json.token_id, creation_ip: '203.0.113.1', poll_ip: '198.51.100.7' },
      ])
      await place.login({ label: 'same address', browser })
      expect(await place.edit.auditRows('oauth.device_code_cross_ip_poll')).to.have.length(1)
    })
  })
}
