import { expect } from 'chai'
import sinon from 'sinon'
import { makeUseCases } from '#application/use-cases.ts'
import { OWNER, type Reply, SETTINGS, type WorldOptions } from '../../support/world.ts'
import { flowOf, said } from '../flow.ts'
import { aPlace, type Place } from '../place.ts'

const PERSON = { email: 'First@Example.test ', name: 'Frida', password: 'a good one 1' }

/** The browser's session: set-up, sign-in, sign-out, on whatever stores `options` name. */
export function consoleSuite(name: string, options: WorldOptions): void {
  describe(`console: ${name}`, () => {
    let place: Place
    beforeEach(async () => {
      place = await aPlace(options)
    })
    afterEach(async () => {
      sinon.restore()
      await place.close()
    })

    const setUp = (json: unknown) => place.post('/console/api/setup', { json })
    const login = (email: string, password: string) => place.post('/console/api/login', { json: { email, password } })
    const profile = (cookie: string) => place.get('/console/api/account/profile', { headers: { Cookie: cookie } })

    it('M01 the set-up works once: account, workspace and ownership, then 403', async () => {
      await place.edit.forgetSetUp()
      expect((await place.get('/console/api/setup')).json).to.deep.equal({ step: 'not_started' })
      const first = await setUp(PERSON)
      expect([first.status, first.text]).to.deep.equal([201, '{"result":"success"}'])
      expect((await place.get('/console/api/setup')).json).to.deep.equal({ step: 'finished' })
      expect(said(await setUp({ ...PERSON, email: 'second@example.test' }))).to.equal('403 already_setup')

      const browser = await place.signIn('first@example.test', PERSON.password)
      expect((await profile(browser.cookie)).json).to.deep.include({ email: 'first@example.test', name: 'Frida' })
      const current = await place.post('/console/api/workspaces/current', { headers: browser.headers })
      expect(current.json).to.deep.include({ name: "Frida's Workspace", role: 'owner', status: 'normal' })
      expect((await login('second@example.test', PERSON.password)).status).to.equal(401)
    })

    it('M01 of concurrent set-ups one wins', async () => {
      await place.edit.forgetSetUp()
      const replies = await Promise.all(
        Array.from({ length: 8 }, (_, at) => setUp({ ...PERSON, email: `person${at}@example.test` })),
      )
      expect(replies.map(({ status }) => status).toSorted()).to.deep.equal([201, ...Array(7).fill(403)])
    })

    const WEAK: Readonly<Record<string, RegExp>> = {
      'short 1': /at least 8/,
      'no digits at all': /digit/,
      '12345678': /letter/,
      [`${'long 1 '.repeat(40)}`]: /at most 256/,
    }
    for (const [password, reason] of Object.entries(WEAK)) {
      it(`M01 the password “${password.slice(0, 20)}” is refused with the reason, and nothing is stored`, async () => {
        await place.edit.forgetSetUp()
        const reply = await setUp({ ...PERSON, password })
        expect(reply.status).to.equal(422)
        expect(reply.json.details).to.have.length(1)
        expect(reply.json.details[0].loc).to.deep.equal(['password'])
        expect(reply.json.details[0].msg).to.match(reason)
        expect(reply.text).to.not.contain(password)
        expect((await place.get('/console/api/setup')).json.step).to.equal('not_started')
      })
    }

    for (const [field, value] of [
      ['email', 'no at sign'],
      ['email', 'a@'],
      ['email', ''],
      ['email', 7],
      ['name', ''],
      ['name', '   '],
      ['name', 'n'.repeat(31)],
    ] as const) {
      it(`M01 a set-up with ${field} ${JSON.stringify(value).slice(0, 14)} is a 422 that names it`, async () => {
        await place.edit.forgetSetUp()
        const reply = await setUp({ ...PERSON, [field]: value })
        expect(reply.status).to.equal(422)
        expect(reply.json.details[0].loc).to.deep.equal([field])
      })
    }

    it('M02 signs in with the password plain or as base64 of UTF-8, the email in any case', async () => {
      await place.edit.forgetSetUp()
      const password = 'pässwörd 1'
      await setUp({ ...PERSON, password })
      for (const typed of [password, Buffer.from(password).toString('base64')]) {
        for (const email of ['first@example.test', ' FIRST@example.TEST']) {
          expect((await login(email, typed)).text).to.equal('{"result":"success"}')
        }
      }
      expect((await login('first@example.test', Buffer.from('wrong pass 1').toString('base64'))).status).to.equal(401)
    })

    it('M02 wrong password and unknown email take the same work and say the same words', async () => {
      const verify = sinon.spy(place.ports.passwords, 'verify')
      const wrong = await login(OWNER.email, 'wrong pass 1')
      const tried = verify.callCount
      const unknown = await login('nobody@example.test', 'wrong pass 1')
      // Whoever tries emails must not learn which of them have an account.
      expect(verify.callCount).to.equal(2 * tried)
      expect(tried).to.be.greaterThan(0)
      expect(unknown.text).to.equal(wrong.text)
      expect(said(wrong)).to.equal('401 authentication_failed')
      for (const reply of [wrong, unknown]) {
        expect(reply.headers.getSetCookie()).to.deep.equal([])
        expect(reply.headers.has('www-authenticate')).to.equal(false)
      }
      expect(await place.edit.auditRows('console.login_failed')).to.have.length(2)
    })

    it('M02 a banned account is told no more than a wrong password', async () => {
      await place.edit.setAccountStatus(place.owner.accountId, 'banned')
      const banned = await login(OWNER.email, OWNER.password)
      expect(banned.text).to.equal((await login(OWNER.email, 'wrong pass 1')).text)
    })

    it('M05 a logout ends the session on every replica: profile, decisions and renewal', async () => {
      const browser = await place.signIn()
      const other = await place.signIn()
      expect((await profile(browser.cookie)).status).to.equal(200)
      const out = await place.post('/console/api/logout', { headers: browser.headers })
      expect(out.text).to.equal('{"result":"success"}')
      for (const line of out.headers.getSetCookie()) expect(line).to.match(/^\w+=; .*Max-Age=0/)

      expect((await profile(browser.cookie)).status).to.equal(401)
      const { userCode } = await place.startFlow()
      expect(said(await flowOf(place).decide('approve', userCode, browser))).to.equal('401 unauthorized')
      expect((await place.post('/console/api/refresh-token', { headers: browser.headers })).status).to.equal(401)

      // A core of its own on the same stores, as another process has it.
      const replica = makeUseCases(place.ports, SETTINGS)
      const claims = (cookie: string) => ({
        accessToken: /access_token=([^;]+)/.exec(cookie)?.[1] ?? null,
        csrfCookie: null,
        csrfHeader: null,
        ip: '127.0.0.1',
      })
      expect(await replica.consoleGuards.whoIs(claims(browser.cookie))).to.equal(null)
      expect((await replica.consoleGuards.whoIs(claims(other.cookie)))?.account.email).to.equal(OWNER.email)
      expect((await profile(other.cookie)).status).to.equal(200)
    })

    it('M05 a logout takes the CSRF token', async () => {
      const { cookie } = await place.signIn()
      expect(said(await place.post('/console/api/logout', { headers: { Cookie: cookie } }))).to.equal(
        '401 csrf_mismatch',
      )
      expect((await profile(cookie)).status).to.equal(200)
    })
  })
}

/** Each cookie of a reply by name, its attributes sorted; values are left out. */
export function cookiesOf(reply: Reply): Record<string, string[]> {
  const lines = reply.headers.getSetCookie().map((line) => line.split('; '))
  return Object.fromEntries(lines.map(([pair = '', ...attributes]) => [pair.split('=')[0], attributes.toSorted()]))
}
