import { expect } from 'chai'
import sinon from 'sinon'
import { DomainError } from '#domain/errors.ts'
import { OWNER, type Reply, type WorldOptions } from '../../support/world.ts'
import { said } from '../flow.ts'
import { aPlace, type Place } from '../place.ts'

const MINUTE_MS = 60_000

/** What keeps guesses, stolen cookies and other sites out of the console, on whatever stores `options` name. */
export function consoleHardeningSuite(name: string, options: WorldOptions): void {
  describe(`console hardening: ${name}`, () => {
    let place: Place
    beforeEach(async () => {
      place = await aPlace(options)
    })
    afterEach(() => place.close())

    const login = (password: string, email = OWNER.email, headers: Readonly<Record<string, string>> = {}) =>
      place.post('/console/api/login', { json: { email, password }, headers })
    const profile = (cookie: string) => place.get('/console/api/account/profile', { headers: { Cookie: cookie } })
    const refresh = (cookie: string) => place.post('/console/api/refresh-token', { headers: { Cookie: cookie } })
    const cookieOf = (reply: Reply) =>
      reply.headers
        .getSetCookie()
        .map((line) => line.split(';')[0])
        .join('; ')

    it('M03 five failures lock the account out for that address, the right password too, until the window passes', async () => {
      for (let failure = 0; failure < 5; failure++) {
        expect(said(await login('wrong horse 2'))).to.equal('401 authentication_failed')
        place.clock.advance(MINUTE_MS)
      }
      const locked = await login(OWNER.password)
      expect(said(locked)).to.equal('429 rate_limited')
      expect(locked.headers.get('retry-after')).to.equal(String(10 * 60))
      expect(locked.headers.getSetCookie()).to.deep.equal([])
      await place.addMember('other@example.test')
      expect((await login(OWNER.password, 'other@example.test')).status).to.equal(200)
      place.clock.advance(10 * MINUTE_MS)
      expect((await login(OWNER.password)).status).to.equal(200)
    })

    it('M03 concurrent guesses count as well, and an email in other letters is no new one', async () => {
      const emails = Array.from({ length: 12 }, (_, at) =>
        at % 2 === 0 ? OWNER.email : ` ${OWNER.email.toUpperCase()} `,
      )
      const replies = await Promise.all(emails.map((email) => login('wrong horse 2', email)))
      expect(replies.filter(({ status }) => status === 401)).to.have.length(5)
      expect(replies.filter(({ status }) => status === 429)).to.have.length(7)
      const [hit, ...more] = await place.edit.auditRows('rate_limit.hit')
      expect([hit?.facts.limit, more.length]).to.deep.equal(['login', 0])
    })

    // Whoever fills the queue for passwords with made-up people must not lock real ones out.
    it('security: a sign-in whose password was not looked at counts as no failure', async () => {
      const busy = sinon.stub(place.ports.passwords, 'verify').rejects(new DomainError('service_unavailable', {}))
      try {
        for (let at = 0; at < 6; at++) expect(said(await login(OWNER.password))).to.equal('503 service_unavailable')
      } finally {
        busy.restore()
      }
      expect((await login(OWNER.password)).status).to.equal(200)
    })

    // The base64 of a password is looked at twice, and only one look may find no place.
    it('security: a guess that was looked at counts, whatever became of its other spelling', async () => {
      const { passwords } = place.ports
      const half = sinon.stub(passwords, 'verify').rejects(new DomainError('service_unavailable', {}))
      try {
        half.withArgs('d3JvbmcgaG9yc2Ug').resolves(false)
        for (let at = 0; at < 5; at++) expect((await login('d3JvbmcgaG9yc2Ug')).status).to.equal(503)
        expect(said(await login('d3JvbmcgaG9yc2Ug'))).to.equal('429 rate_limited')
      } finally {
        half.restore()
      }
    })

    it('M03 sign-ins that succeed do not count', async () => {
      for (let at = 0; at < 8; at++) expect((await login(OWNER.password)).status).to.equal(200)
    })

    it('M04 a refresh hands out new cookies, and the used token ends the family, its successor included', async () => {
      const first = cookieOf(await login(OWNER.password))
      place.clock.advance(61 * MINUTE_MS)
      expect((await profile(first)).status).to.equal(401)
      const renewed = await refresh(first)
      expect(said(renewed)).to.equal('200 ok')
      const second = cookieOf(renewed)
      expect(second).not.to.equal(first)
      expect((await profile(second)).status).to.equal(200)

      // RFC 9700 §4.14.2: a token used twice was stolen, and nobody can tell by whom.
      expect(said(await refresh(first))).to.equal('401 unauthorized')
      expect(said(await refresh(second))).to.equal('401 unauthorized')
      expect((await profile(second)).status).to.equal(401)
      const other = cookieOf(await login(OWNER.password))
      expect((await profile(other)).status).to.equal(200)
    })

    it('M04 of concurrent refreshes with one token one wins, and the family is over', async () => {
      const cookie = cookieOf(await login(OWNER.password))
      const replies = await Promise.all(Array.from({ length: 8 }, () => refresh(cookie)))
      const won = replies.filter(({ status }) => status === 200)
      expect(won).to.have.length(1)
      expect((await profile(cookieOf(won[0] ?? (await login(''))))).status).to.equal(401)
    })

    it('M04 none, an unknown, an expired one and a banned account’s are one refusal', async () => {
      const cookie = cookieOf(await login(OWNER.password))
      expect(said(await place.post('/console/api/refresh-token'))).to.equal('401 unauthorized')
      expect(said(await refresh('refresh_token=AAAA'))).to.equal('401 unauthorized')
      expect(said(await refresh('refresh_token=%zz'))).to.equal('401 unauthorized')
      await place.edit.setAccountStatus(place.owner.accountId, 'banned')
      expect(said(await refresh(cookie))).to.equal('401 unauthorized')
      await place.edit.setAccountStatus(place.owner.accountId, 'active')
      const young = cookieOf(await login(OWNER.password))
      place.clock.advance(30 * 24 * 60 * MINUTE_MS)
      expect(said(await refresh(young))).to.equal('401 unauthorized')
    })

    const EXEMPT = {
      '/console/api/init': { password: 'x' },
      '/console/api/setup': { email: 'eve@example.test', name: 'Eve', password: 'a good one 1' },
      '/console/api/login': { email: OWNER.email, password: OWNER.password },
      '/console/api/refresh-token': {},
    }
    for (const [path, json] of Object.entries(EXEMPT)) {
      // Login CSRF: without a cookie yet there is no CSRF token, so the Origin has to do.
      it(`M07 ${path} refuses another site, and takes its own and clients without an Origin`, async () => {
        const cookie = cookieOf(await login(OWNER.password))
        const send = (headers: Record<string, string>) =>
          place.post(path, { json, headers: { Cookie: cookie, ...headers } })
        for (const origin of [
          'https://evil.example',
          'null',
          `${place.url}.evil.example`,
          place.url.replace('http:', 'https:'),
        ]) {
          const reply = await send({ Origin: origin })
          expect(said(reply), origin).to.equal('403 foreign_origin')
          expect(reply.headers.getSetCookie(), origin).to.deep.equal([])
        }
        expect(said(await send({ Origin: place.url }))).not.to.contain('foreign_origin')
        expect(said(await send({}))).not.to.contain('foreign_origin')
      })
    }
  })
}
