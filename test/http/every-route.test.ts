import { expect } from 'chai'
import { PREFIX } from '#adapters/http/api-routes.ts'
import { makeBuiltInPolicy } from '#application/auth/built-in-policy.ts'
import { aBridge } from '../support/policy.ts'
import type { Send } from '../support/world.ts'
import { chatFile } from './app-files.ts'
import { aPlace, mintExternal, mintOwn, type Place } from './place.ts'
import { DEVICE, EVE, ORIGIN, signAs, ssoOf } from './sso.ts'

/** What every call finds: ids that exist, codes that are pending, somebody for each kind of access. */
type Fixture = {
  readonly place: Place
  readonly sso: ReturnType<typeof ssoOf>
  readonly userCode: string
  readonly deviceCode: string
  readonly account: string
  readonly external: string
  readonly appId: string
}

type Ask = Send & { readonly path?: string }
type Call = readonly [route: string, status: number, ask?: (fixture: Fixture) => Ask | Promise<Ask>]

const bearer = ({ account }: Fixture) => ({ token: account })
const guest = ({ external }: Fixture) => ({ token: external })
const app = ({ account, appId }: Fixture) => ({ token: account, path: appId })
const decision = async ({ place, userCode }: Fixture) => ({
  headers: (await place.signIn()).headers,
  json: { user_code: userCode },
})
const granted = async ({ sso, userCode }: Fixture) => {
  const { cookie, csrf } = await sso.signOn(userCode)
  return { headers: { ...cookie, 'X-CSRF-Token': csrf } }
}
const code = { client_id: 'difyctl', device_label: 'laptop' }

/** Nothing of these is anybody's own. */
const PUBLIC = ['/_health', '/_version', '/openapi.json', '/.well-known/oauth-authorization-server']

/** The routes that clients of this surface know. */
const CALLS: readonly Call[] = [
  ['GET /_health', 200],
  ['POST /oauth/device/code', 200, () => ({ json: code })],
  ['POST /oauth/device/token', 400, ({ deviceCode }) => ({ json: { device_code: deviceCode, client_id: 'difyctl' } })],
  ['GET /oauth/device/lookup', 200, ({ userCode }) => ({ path: `?user_code=${userCode}` })],
  ['POST /oauth/device/approve', 200, decision],
  ['POST /oauth/device/deny', 200, decision],
  ['GET /oauth/device/sso-initiate', 302, ({ userCode }) => ({ path: `?user_code=${userCode}` })],
  [
    'GET /oauth/device/sso-complete',
    302,
    async ({ sso, userCode }) => ({ path: `?sso_assertion=${await signAs(sso.assertionClaims(userCode))}` }),
  ],
  [
    'GET /oauth/device/sso-callback',
    302,
    async ({ place, userCode }) => {
      const initiated = await place.get(`${DEVICE}/sso-initiate?user_code=${userCode}`)
      const state = new URL(initiated.headers.get('Location') ?? '').searchParams.get('state') ?? ''
      const cookies = initiated.headers.getSetCookie().map((line) => line.split(';')[0] ?? '')
      return { path: `?code=x&state=${state}`, headers: { Cookie: cookies.join('; ') } }
    },
  ],
  ['GET /oauth/device/approval-context', 200, granted],
  [
    'POST /oauth/device/approve-external',
    200,
    async (fixture) => ({ ...(await granted(fixture)), json: { user_code: fixture.userCode } }),
  ],
  ['GET /account', 200, bearer],
  ['GET /account/sessions', 200, bearer],
  ['DELETE /account/sessions/self', 200, bearer],
  [
    'DELETE /account/sessions/:id',
    200,
    async ({ place, account }) => {
      const { json } = await place.get(`${PREFIX}/account/sessions`, { token: account })
      return { token: account, path: json.data[0].id }
    },
  ],
  ['GET /workspaces', 200, bearer],
  ['GET /workspaces/:id', 200, ({ place, account }) => ({ token: account, path: place.owner.workspaceId })],
  ['POST /workspaces/:id/switch', 200, ({ place, account }) => ({ token: account, path: place.owner.workspaceId })],
  ['GET /workspaces/:id/members', 200, ({ place, account }) => ({ token: account, path: place.owner.workspaceId })],
  [
    'POST /workspaces/:id/members',
    404,
    ({ place, account }) => ({
      token: account,
      path: place.owner.workspaceId,
      json: { email: 'nobody@example.test', role: 'normal' },
    }),
  ],
  [
    'POST /workspaces/:id/apps/imports',
    200,
    ({ place, account }) => ({
      token: account,
      path: place.owner.workspaceId,
      json: { mode: 'yaml-content', yaml_content: chatFile() },
    }),
  ],
  ['GET /apps/:id/export', 200, app],
  ['GET /apps/:id/check-dependencies', 200, app],
  ['GET /apps', 200, ({ place, account }) => ({ token: account, path: `?workspace_id=${place.owner.workspaceId}` })],
  ['GET /apps/permitted', 200, guest],
  ['GET /permitted-external-apps', 200, guest],
  ['GET /apps/:id/describe', 200, app],
  ['POST /apps/:id/run', 200, (fixture) => ({ ...app(fixture), json: { inputs: {}, query: 'hi' } })],
  ['GET /_version', 200],
  ['GET /openapi.json', 200],
  ['POST /oauth/introspect', 200, (fixture) => ({ ...bearer(fixture), form: { token: fixture.account } })],
  ['POST /oauth/revoke', 200, ({ account }) => ({ form: { token: account } })],
  ['GET /.well-known/oauth-authorization-server', 200],
]

describe('every route, on an Enterprise server with ids and codes that are good', () => {
  let fixture: Fixture
  beforeEach(async () => {
    const place = await aPlace({
      settings: { consoleApiUrl: ORIGIN },
      change: (ports) => ({
        ...ports,
        bridge: aBridge({ finish: async () => ({ ...EVE, sub: null, groups: [] }) }),
        policy: makeBuiltInPolicy(ports),
      }),
    })
    fixture = {
      place,
      sso: ssoOf(place),
      ...(await place.startFlow()),
      account: await mintOwn(place),
      external: await mintExternal(place, EVE.email, 'laptop', EVE.issuer),
      appId: await place.addApp(chatFile()),
    }
  })
  afterEach(() => fixture.place.close())

  /** A query is put behind the path, anything else in place of its parameter. */
  const pathOf = (template: string, given = '') =>
    PREFIX + (given.startsWith('?') ? template + given : template.replace(/:\w+/, given || 'ID'))

  for (const [route, status, ask = (): Ask => ({})] of CALLS) {
    const [method = '', template = ''] = route.split(' ')

    it(`A02 ${route} answers ${status}, and 405 with Allow to another method`, async () => {
      const { path, ...how } = await ask(fixture)
      const url = pathOf(template, path)
      const reply = await fixture.place.send(method, url, how)
      expect(reply.status, reply.text).to.equal(status)
      // Refusals get these headers elsewhere (A10, A11); a good answer is what a cache would keep.
      const isKept = reply.headers.get('Cache-Control') !== 'no-store'
      expect([isKept, reply.headers.get('X-Frame-Options')]).to.deep.equal([PUBLIC.includes(template), 'DENY'])

      const isThere = (other: string) => CALLS.some(([one]) => one === `${other} ${template}`)
      for (const other of ['PUT', 'PATCH', method === 'POST' ? 'GET' : 'POST'].filter((one) => !isThere(one))) {
        const wrong = await fixture.place.send(other, url.split('?')[0] ?? '', { headers: how.headers ?? {} })
        expect(wrong.status, `${other}: ${wrong.text}`).to.equal(405)
        expect(wrong.json.error).to.equal('method_not_allowed')
        const allowed = wrong.headers.get('Allow')?.split(', ') ?? []
        expect(allowed).to.include(method).and.not.include(other)
      }
    })
  }

  it('A02 the same document of metadata is where RFC 8414 puts it', async () => {
    const { place } = fixture
    const [there, here] = [
      await place.get(`/.well-known/oauth-authorization-server${PREFIX}`),
      await place.get(`${PREFIX}/.well-known/oauth-authorization-server`),
    ]
    expect(there.status).to.equal(200)
    expect(there.text).to.equal(here.text)
  })
})
