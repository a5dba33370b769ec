import { inspect } from 'node:util'
import { expect } from 'chai'
import { type InnerRoute, MISDEEDS, says } from '../support/enterprise-service.ts'
import type { Reply } from '../support/world.ts'
import { anEnterprisePlace, type EnterprisePlace, EVE } from './enterprise-place.ts'
import { said } from './flow.ts'
import { API } from './place.ts'

const DEVICE = `${API}/oauth/device`

describe('a remote Enterprise service that fails', () => {
  let place: EnterprisePlace
  beforeEach(async () => {
    place = await anEnterprisePlace()
  })
  afterEach(() => place.close())

  const initiate = () => place.initiate()
  const permittedByAlias = () => place.get(`${API}/permitted-external-apps`, { token: place.external })
  const runExternalWithAccount = async () => {
    await place.addMember(EVE.email)
    return place.run(place.external)
  }
  const errorLines = () => place.logLines.filter(({ level }) => level === 'error')
  function expectNothingTold(reply: Reply): void {
    // Neither service nor address is for callers, and its secret is not even for logs.
    expect(reply.text).to.not.match(/127\.0\.0\.1|inner|undici|ECONN|the-secret/i)
    expect(inspect(place.logLines, { depth: 10 })).to.not.contain(place.service.secretKey)
  }

  type Failing = readonly [what: string, route: InnerRoute, ask: () => Promise<Reply>, answer: string]
  const FAILING: readonly Failing[] = [
    ['sso-initiate', 'GET /info', initiate, '404 not_found'],
    ['sso-complete', 'GET /info', () => place.get(`${DEVICE}/sso-complete`), '404 not_found'],
    ['sso-callback', 'GET /info', () => place.get(`${DEVICE}/sso-callback`), '404 not_found'],
    ['approval-context', 'GET /info', () => place.get(`${DEVICE}/approval-context`), '404 not_found'],
    ['approve-external', 'GET /info', () => place.post(`${DEVICE}/approve-external`), '404 not_found'],
    ['permitted', 'GET /info', () => place.permitted(), '404 not_found'],
    ['its alias', 'GET /info', permittedByAlias, '404 not_found'],
    ['a run', 'GET /info', () => place.run(place.account), '503 access_check_failed'],
    ['an external run', 'GET /info', () => place.run(place.external), '503 access_check_failed'],
    ['sso-initiate', 'POST /device-flow/sso-initiate', initiate, '502 sso_initiate_failed'],
    ['a run', 'GET /webapp/access-mode/id', () => place.run(place.account), '503 access_check_failed'],
    ['an external run', 'GET /webapp/access-mode/id', () => place.run(place.external), '503 access_check_failed'],
    ['a run', 'GET /webapp/permission', () => place.run(place.account), '503 access_check_failed'],
    ['an external run', 'GET /webapp/permission', runExternalWithAccount, '503 access_check_failed'],
    ['permitted', 'POST /webapp/externally-accessible-apps', () => place.permitted(), '503 permitted_apps_unavailable'],
  ]

  for (const [what, route, ask, answer] of FAILING) {
    for (const [misdeed, deed] of Object.entries(MISDEEDS)) {
      // A list has no `url` in it, which has a word of its own.
      const isNoUrl = route === 'POST /device-flow/sso-initiate' && misdeed === 'sends a list'
      const expected = isNoUrl ? '502 sso_initiate_missing_url' : answer

      it(`F13 ${what} is ${expected} when ${route} ${misdeed}`, async () => {
        place.service.on(route, deed)
        const asked = place.service.asked(route)
        const answered = ask()
        await asked
        if (misdeed.startsWith('hangs')) place.clock.advance(5000)
        const reply = await answered
        expect(said(reply), reply.text).to.equal(expected)
        if (reply.status === 503) expect(reply.headers.get('Retry-After')).to.equal('5')
        expectNothingTold(reply)
        expect(errorLines()).to.have.length.within(1, 2)
        expect(await place.edit.auditRows('app.run.openapi')).to.have.length(0)
      })
    }
  }

  for (const [what, , ask, answer] of FAILING.filter(([, route]) => route === 'GET /info')) {
    it(`F13 ${what} is ${answer} when the service refuses connections`, async () => {
      await place.service.close()
      const reply = await ask()
      expect(said(reply)).to.equal(answer)
      expectNothingTold(reply)
    })
  }

  for (const [what, route, ask, answer] of FAILING.filter(([, route]) => route !== 'GET /info')) {
    it(`F13 ${what} is ${answer} when the service goes away before ${route}`, async () => {
      await place.permitted()
      await place.service.close()
      const reply = await ask()
      expect(said(reply)).to.equal(answer)
      expectNothingTold(reply)
    })
  }

  it('F13 a service that takes just under five seconds is waited for, all of its answer together', async () => {
    place.service.on('GET /info', MISDEEDS['hangs in the middle'] ?? says({}))
    const asked = place.service.asked('GET /info')
    let isAnswered = false
    const answered = place.run(place.external).finally(() => {
      isAnswered = true
    })
    await asked
    place.clock.advance(4999)
    // Another request goes all the way round meanwhile: this one is still waiting.
    await place.get(`${API}/_health`)
    expect(isAnswered).to.equal(false)
    place.clock.advance(1)
    expect(said(await answered)).to.equal('503 access_check_failed')
  })

  type Shape = readonly [route: InnerRoute, body: unknown, ask: () => Promise<Reply>, answer: string]
  const SHAPES: readonly Shape[] = [
    ...[
      {},
      { License: null },
      { License: 'active' },
      { License: {} },
      { License: { status: true } },
      { license: { status: 'active' } },
    ].map((body): Shape => ['GET /info', body, initiate, '404 not_found']),
    [
      'GET /info',
      { License: { status: 'active' }, WebAppAuth: { enabled: 'true' } },
      () => place.run(place.account),
      '503 access_check_failed',
    ],
    [
      'GET /info',
      { License: { status: 'active' }, WebAppAuth: true },
      () => place.run(place.account),
      '503 access_check_failed',
    ],
    ...[{}, { url: null }, { url: '' }].map(
      (body): Shape => ['POST /device-flow/sso-initiate', body, initiate, '502 sso_initiate_missing_url'],
    ),
    ...[
      7,
      ['https://idp.example'],
      {},
      'idp.example',
      '/sign-on',
      '//idp.example',
      'javascript:alert(1)',
      'data:text/html,hi',
      'ftp://idp.example',
      `https://idp.example/${'x'.repeat(8192)}`,
    ].map((url): Shape => ['POST /device-flow/sso-initiate', { url }, initiate, '502 sso_initiate_failed']),
    ...[{}, { accessMode: null }, { accessMode: 1 }, { accessMode: ['public'] }, { access_mode: 'public' }].map(
      (body): Shape => ['GET /webapp/access-mode/id', body, () => place.run(place.external), '503 access_check_failed'],
    ),
    ...[{}, { result: null }, { result: 'true' }, { result: 1 }, { result: {} }, { permitted: true }].map(
      (body): Shape => ['GET /webapp/permission', body, () => place.run(place.account), '503 access_check_failed'],
    ),
    ...[
      {},
      { data: null, total: 0 },
      { data: 'x', total: 1 },
      { data: [] },
      { data: [7], total: 1 },
      { data: [null], total: 1 },
      { data: [{ id: 'x' }], total: 1 },
      { data: [], total: -1 },
      { data: [], total: 1.5 },
      { data: [], total: '3' },
      { data: [], total: 1e300 },
    ].map(
      (body): Shape => [
        'POST /webapp/externally-accessible-apps',
        body,
        () => place.permitted(),
        '503 permitted_apps_unavailable',
      ],
    ),
  ]
  for (const [route, body, ask, answer] of SHAPES) {
    it(`F13 ${answer} when ${route} says ${JSON.stringify(body).slice(0, 70)}`, async () => {
      place.service.on(route, says(body))
      const reply = await ask()
      expect(said(reply), reply.text).to.equal(answer)
      expectNothingTold(reply)
    })
  }

  it('F13 a failed look at the licence is remembered for 30 s, told once, and got over', async () => {
    place.service.on('GET /info', MISDEEDS['answers 500'] ?? says({}))
    for (let i = 0; i < 3; i++) expect((await place.permitted()).status).to.equal(404)
    expect(place.service.heardOn('GET /info')).to.have.length(1)
    expect(errorLines()).to.have.length(1)
    place.service.on('GET /info', says({ License: { status: 'active' } }))
    place.clock.advance(30_000)
    expect((await place.permitted()).status).to.equal(200)
  })
})
