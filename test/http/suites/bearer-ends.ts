import { expect } from 'chai'
import sinon from 'sinon'
import { apiRoutes } from '#adapters/http/api-routes.ts'
import { makeBuiltInPolicy } from '#application/auth/built-in-policy.ts'
import { ACCOUNT_TOKEN, EXTERNAL_TOKEN } from '#domain/token-kind.ts'
import { aBridge } from '../../support/policy.ts'
import type { Reply, Send, WorldOptions } from '../../support/world.ts'
import { chatFile } from '../app-files.ts'
import { flowOf, said } from '../flow.ts'
import { API, aPlace, aToken, mintOwn, NO_BEARER_LIMIT, type Place } from '../place.ts'

const ORIGIN = 'https://latchkey.example'
const ID = '018f0000-0000-7000-8000-000000000000'
/** Every route that takes a bearer, those that are yet to come included. */
const BEARER_ROUTES = apiRoutes.filter(({ access }) => access.kind === 'bearer' || access.kind === 'app')

/** How bearers end: switched off as a whole, expired one by one, or rows that contradict themselves. */
export function bearerEndsSuite(name: string, options: WorldOptions): void {
  describe(`bearers switched off: ${name}`, () => {
    let place: Place
    let flow: ReturnType<typeof flowOf>
    before(async () => {
      place = await aPlace({
        ...options,
        settings: { bearer: { enabled: false, perMinute: 60 }, consoleApiUrl: ORIGIN },
        // Enterprise, so that every route is there.
        change: (ports) => ({ ...ports, bridge: aBridge(), policy: makeBuiltInPolicy(ports) }),
      })
      flow = flowOf(place)
    })
    after(() => place.close())

    for (const { method, path } of BEARER_ROUTES) {
      it(`B23 ${method.toUpperCase()} ${path} is 503 with any bearer, and 401 without one`, async () => {
        const ask = (how?: Send) => place.send(method.toUpperCase(), API + path.replaceAll(/:\w+/g, ID), how)
        const good = await mintOwn(place)
        for (const token of [good, aToken(ACCOUNT_TOKEN), aToken(EXTERNAL_TOKEN), 'dfoa_noise', 'app-x']) {
          const reply = await ask({ token })
          expect(reply.json).to.deep.equal({
            error: 'bearer_auth_disabled',
            code: 'service_unavailable',
            message: 'bearer_auth_disabled',
            status: 503,
          })
          expect(reply.headers.get('retry-after')).to.equal('60')
          expect(reply.headers.has('www-authenticate')).to.equal(false)
        }
        const missing = await ask()
        expect(said(missing)).to.equal('401 bearer_required')
        expect(missing.headers.get('www-authenticate')).to.equal('Bearer realm="api"')
      })
    }

    it('B23 those are the routes of the account, workspaces, apps and introspection', () => {
      expect(BEARER_ROUTES.map(({ path }) => path)).to.include.members([
        '/account',
        '/account/sessions',
        '/account/sessions/self',
        '/account/sessions/:id',
        '/workspaces',
        '/workspaces/:id',
        '/apps',
        '/apps/:id/describe',
        '/apps/:id/run',
        '/apps/permitted',
        '/oauth/introspect',
      ])
    })

    it('B23 nobody decides: approve and deny are 503, and the code stays pending', async () => {
      const { userCode, deviceCode } = await place.startFlow()
      const browser = await place.signIn()
      for (const word of ['approve', 'deny'] as const) {
        const reply = await flow.decide(word, userCode, browser)
        expect([said(reply), reply.headers.get('retry-after')]).to.deep.equal(['503 bearer_auth_disabled', '60'])
      }
      expect(said(await flow.poll(deviceCode))).to.equal('400 authorization_pending')
    })

    it('B23 nor does anybody from outside: approve-external is 503, and the code stays pending', async () => {
      const { userCode, deviceCode } = await place.startFlow()
      const csrfToken = 'c'.repeat(43)
      const person = { email: 'eve@company.example', issuer: 'https://idp.company.example', userCode, nonce: 'n' }
      const expiresAtMs = place.clock.now() + 60_000
      const grant = await place.ports.sealer.sealGrant({ ...person, csrfToken, expiresAtMs }, ORIGIN)
      const headers = { Cookie: `device_approval_grant=${grant}`, 'X-CSRF-Token': csrfToken }
      const reply = await place.post(`${API}/oauth/device/approve-external`, { headers, json: { user_code: userCode } })
      expect([said(reply), reply.headers.get('retry-after')]).to.deep.equal(['503 bearer_auth_disabled', '60'])
      expect(said(await flow.poll(deviceCode))).to.equal('400 authorization_pending')
    })

    it('B23 health, code, token, lookup and revocation answer as ever', async () => {
      expect((await place.get(`${API}/_health`)).text).to.equal('{"ok":true}')
      const started = await flow.code()
      expect(started.json).to.include({ expires_in: 900, interval: 5 })
      const { device_code: deviceCode, user_code: userCode } = started.json
      expect((await flow.lookUp(userCode)).json).to.deep.equal({
        valid: true,
        expires_in_remaining: 900,
        client_id: 'difyctl',
      })
      expect(said(await flow.poll(deviceCode))).to.equal('400 authorization_pending')
      expect(said(await flow.poll(deviceCode))).to.equal('400 slow_down')
      expect(said(await flow.poll('dc_unknown'))).to.equal('400 expired_token')
      const revoked = await place.post(`${API}/oauth/revoke`, { form: { token: await mintOwn(place) } })
      expect([revoked.status, revoked.text]).to.deep.equal([200, '{}'])
    })

    it('B23 a code approved before can still be picked up', async () => {
      const { deviceCode, userCode } = await place.startFlow('approved before')
      const account = await place.ports.accounts.find(place.owner.accountId)
      if (account === null) throw new Error('no owner')
      await place.cases.approveDevice({ account, userCode, ip: '127.0.0.1' })
      const polled = await flow.poll(deviceCode)
      expect(polled.json.token).to.match(/^dfoa_/)
      const used = await place.get(`${API}/account`, { token: polled.json.token })
      expect(said(used)).to.equal('503 bearer_auth_disabled')
    })
  })

  describe(`tokens past their end: ${name}`, () => {
    let place: Place
    beforeEach(async () => {
      place = await aPlace({ settings: NO_BEARER_LIMIT, ...options })
    })
    afterEach(async () => {
      sinon.restore()
      await place.close()
    })

    it('B20 of twenty requests at once with an expired row one ends it, and one event tells so', async () => {
      const token = await mintOwn(place, { lifeMs: 1000 })
      const other = await mintOwn(place, { label: 'other' })
      place.clock.advance(1000)
      const replies = await Promise.all(
        Array.from({ length: 20 }, (_, at) => place.get(`${API}/${at % 2 === 0 ? 'workspaces' : 'apps'}`, { token })),
      )
      for (const reply of replies) expect(said(reply)).to.equal('401 invalid_bearer')
      const rows = await place.edit.auditRows('oauth.token_expired')
      const [dead] = (await place.edit.tokenRows()).filter(({ live }) => !live)
      expect(rows.map(({ facts }) => facts)).to.deep.equal([{ token_id: dead?.id }])
      expect((await place.get(`${API}/workspaces`, { token: other })).status).to.equal(200)
    })

    // Whoever can write one row must not become somebody by it: the row has to agree with itself.
    it('B21 a row whose account and prefix disagree authenticates nobody, whichever way, and is logged', async () => {
      const appId = await place.addApp(chatFile())
      const cases = [
        {
          kind: ACCOUNT_TOKEN,
          subject: { type: 'external_sso', email: 'x@example.test', issuer: 'https://i.example' },
        },
        {
          kind: EXTERNAL_TOKEN,
          subject: { type: 'account', accountId: place.owner.accountId, email: 'x@example.test' },
        },
      ] as const
      for (const { kind, subject } of cases) {
        const token = aToken(kind)
        const id = place.ports.newId()
        await place.ports.tokens.mint({
          id,
          subject,
          clientId: 'difyctl',
          deviceLabel: 'contradiction',
          prefix: kind.prefix,
          tokenHash: place.ports.digest(token),
          createdAtMs: place.clock.now(),
          expiresAtMs: place.clock.now() + 86_400_000,
        })
        const before = place.logLines.length
        const asks: readonly (() => Promise<Reply>)[] = [
          () => place.get(`${API}/account`, { token }),
          () => place.get(`${API}/apps?workspace_id=${place.owner.workspaceId}`, { token }),
          () => place.post(`${API}/apps/${appId}/run`, { token, json: { inputs: {}, query: 'hi' } }),
        ]
        for (const ask of asks) expect(said(await ask())).to.equal('401 invalid_bearer')
        const logged = place.logLines.slice(before).filter(({ level }) => level === 'error')
        expect(logged.map(({ facts }) => facts)).to.deep.equal([{ tokenId: id }])
      }
    })
  })
}
