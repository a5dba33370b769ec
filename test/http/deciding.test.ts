import { expect } from 'chai'
import sinon from 'sinon'
import { approve } from '#domain/device-flow-state.ts'
import { aFlow, NOW_MS } from '../support/builders.ts'
import { flowOf, said } from './flow.ts'
import { API, aPlace, type Place } from './place.ts'

const OFF = { bearer: { enabled: false, perMinute: 60 } }

for (const word of ['approve', 'deny'] as const) {
  describe(`guards of ${word}, in their order`, () => {
    let place: Place
    let flow: ReturnType<typeof flowOf>
    let userCode: string

    /** Each test breaks its own guard and every later one, so that only the right order gives its answer. */
    async function open(settings: Parameters<typeof aPlace>[0] = {}): Promise<void> {
      place = await aPlace(settings)
      flow = flowOf(place)
      userCode = (await place.startFlow()).userCode
    }
    afterEach(async () => {
      sinon.restore()
      await place.close()
    })

    const ask = (headers: Record<string, string>, json: unknown = { user_code: 7 }) =>
      place.post(`${API}/oauth/device/${word}`, { json, headers })

    it('E21 before the set-up: 401 not_setup', async () => {
      await open({ settings: OFF })
      await place.edit.forgetSetUp()
      expect(said(await ask({}))).to.equal('401 not_setup')
    })

    it('E21 without a cookie, or with a bad one: 401 unauthorized', async () => {
      await open({ settings: OFF })
      expect(said(await ask({}))).to.equal('401 unauthorized')
      const { cookie } = await place.signIn()
      expect(said(await ask({ Cookie: cookie.replace('access_token=', 'access_token=x') }))).to.equal(
        '401 unauthorized',
      )
    })

    it('E21 with a cookie of a session that ended: 401 unauthorized', async () => {
      await open({ settings: OFF })
      const { cookie, headers } = await place.signIn()
      await place.post('/console/api/logout', { headers })
      expect(said(await ask({ Cookie: cookie }))).to.equal('401 unauthorized')
    })

    for (const status of ['banned', 'closed'] as const) {
      it(`E21 a ${status} account: 401 unauthorized, before its missing CSRF token`, async () => {
        await open({ settings: OFF })
        const { cookie } = await place.signIn()
        await place.edit.setAccountStatus(place.owner.accountId, status)
        expect(said(await ask({ Cookie: cookie }))).to.equal('401 unauthorized')
      })
    }

    it('E21 no CSRF token: 401 csrf_mismatch, before the account’s state', async () => {
      await open({ settings: OFF })
      const { cookie } = await place.signIn()
      await place.edit.setAccountStatus(place.owner.accountId, 'uninitialized')
      expect(said(await ask({ Cookie: cookie }))).to.equal('401 csrf_mismatch')
    })

    for (const status of ['uninitialized', 'pending'] as const) {
      it(`E21 an account that is ${status}: 400 account_not_initialized, before the feature`, async () => {
        await open({ settings: OFF })
        const { headers } = await place.signIn()
        await place.edit.setAccountStatus(place.owner.accountId, status)
        expect(said(await ask(headers))).to.equal('400 account_not_initialized')
      })
    }

    it('E21 the feature off: 503 bearer_auth_disabled, before the limit', async () => {
      await open({ settings: { ...OFF, decidePerHour: 1 } })
      const { headers } = await place.signIn()
      for (let call = 0; call < 3; call++) {
        const reply = await ask(headers)
        expect(said(reply)).to.equal('503 bearer_auth_disabled')
        expect(reply.headers.get('retry-after')).to.equal('60')
      }
    })

    it('E21 ten an hour and account, both routes together: then 429, before the body', async () => {
      await open()
      const browser = await place.signIn()
      for (let call = 0; call < 10; call++) {
        const reply = await flow.decide(call % 2 === 0 ? 'approve' : 'deny', 'AAAA-AAAA', browser)
        expect(said(reply)).to.equal('404 expired_or_unknown')
      }
      const refused = await ask(browser.headers)
      expect(said(refused)).to.equal('429 rate_limited')
      expect(Number(refused.headers.get('retry-after'))).to.be.at.least(1)
      // Another person is not made to wait.
      await place.addMember('mia@example.test')
      expect(said(await ask((await place.signIn('mia@example.test')).headers))).to.equal('400 invalid_request')
    })

    for (const [what, json] of Object.entries({
      'no code': {},
      'an empty code': { user_code: '' },
      'a number': { user_code: 12345678 },
      'a code of 33': { user_code: 'x'.repeat(33) },
      'a list': [],
    })) {
      it(`E21 a body with ${what}: 400 invalid_request`, async () => {
        await open()
        expect(said(await ask((await place.signIn()).headers, json))).to.equal('400 invalid_request')
      })
    }

    it('E21 an unknown or expired code: 404 expired_or_unknown', async () => {
      await open()
      const browser = await place.signIn()
      for (const typed of ['AAAA-AAAA', 'IIII-0000', 'nonsense']) {
        expect(said(await flow.decide(word, typed, browser)), typed).to.equal('404 expired_or_unknown')
      }
      place.clock.advance(900_000)
      expect(said(await flow.decide(word, userCode, browser))).to.equal('404 expired_or_unknown')
    })

    for (const first of ['approve', 'deny'] as const) {
      it(`E21 after ${first}: 409 already_resolved`, async () => {
        await open()
        const browser = await place.signIn()
        expect((await flow.decide(first, userCode, browser)).status).to.equal(200)
        expect(said(await flow.decide(word, userCode, browser))).to.equal('409 already_resolved')
      })
    }
  })
}

describe('a claim on a code', () => {
  afterEach(() => sinon.restore())

  it('E21 while another approve holds the code: 409 approve_in_progress, and the terminal hears pending', async () => {
    const place = await aPlace()
    const flow = flowOf(place)
    const browser = await place.signIn()
    const { deviceCode, userCode: held } = await place.startFlow('held')
    const minting = Promise.withResolvers<void>()
    const mint = place.ports.tokens.mint.bind(place.ports.tokens)
    const reached = new Promise<void>((resolve) => {
      sinon.stub(place.ports.tokens, 'mint').callsFake(async (token) => {
        resolve()
        await minting.promise
        return mint(token)
      })
    })
    const first = flow.decide('approve', held, browser)
    await reached
    // Another person, whose guards need no turn at the database that the mint holds.
    const second = place.cases.approveDevice({
      account: { id: place.owner.accountId, email: 'x@example.test', name: 'x', status: 'active' },
      userCode: held,
      ip: '127.0.0.1',
    })
    expect(
      await second.then(
        () => 'approved',
        ({ code }: { code: string }) => code,
      ),
    ).to.equal('approve_in_progress')
    expect(said(await flow.poll(deviceCode))).to.equal('400 authorization_pending')
    minting.resolve()
    expect(said(await first)).to.equal('200 approved')
    place.clock.advance(5000)
    expect((await flow.poll(deviceCode)).status).to.equal(200)
    await place.close()
  })

  it('E21 an approve whose claim another took over hears state_lost', () => {
    const claim = { owner: 'somebody else', untilMs: NOW_MS + 1000 }
    const grant = {
      subject: { type: 'account', accountId: 'a', email: 'a@example.test' },
      tokenId: 't',
      tokenHash: 'h',
      workspaceId: null,
      sealedToken: { v: 1, ephemeral: '', box: '' },
    } as const
    for (const decision of [
      { status: 'pending', claim },
      { status: 'pending', claim: null },
      { status: 'denied' },
    ] as const) {
      expect(approve(aFlow({ decision }), 'me', grant, NOW_MS)).to.deep.equal({ kind: 'state_lost' })
    }
  })
})
