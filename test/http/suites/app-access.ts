import { expect } from 'chai'
import { makeBuiltInPolicy } from '#application/auth/built-in-policy.ts'
import type { AccessPolicy } from '#application/ports/app-access.ts'
import type { Ports } from '#application/ports.ts'
import { DomainError } from '#domain/errors.ts'
import { aBridge, aPolicy } from '../../support/policy.ts'
import type { WorldOptions } from '../../support/world.ts'
import { chatFile } from '../app-files.ts'
import { said } from '../flow.ts'
import { API, aPlace, mintExternal, mintOwn, type Place } from '../place.ts'

const EVE = { email: 'eve@company.example', issuer: 'https://idp.company.example' }

/** Enterprise: who may use which app, and who finds out. */
export function appAccessSuite(name: string, options: WorldOptions): void {
  describe(`app access on Enterprise: ${name}`, () => {
    let place: Place
    let account: string
    let external: string
    let appId: string

    async function open(policyOf: (ports: Ports) => AccessPolicy | null, settings = {}): Promise<void> {
      place = await aPlace({
        ...options,
        settings,
        change: (ports) => ({ ...ports, bridge: aBridge(), policy: policyOf(ports) }),
      })
      account = await mintOwn(place)
      external = await mintExternal(place, EVE.email, 'laptop', EVE.issuer)
      appId = await place.addApp(chatFile())
    }
    const openBuiltIn = () => open(makeBuiltInPolicy)
    afterEach(() => place.close())

    const run = (token: string, id = appId) =>
      place.post(`${API}/apps/${id}/run`, { token, json: { inputs: {}, query: 'hi' } })
    const permitted = (query = '', token = external) => place.get(`${API}/apps/permitted${query}`, { token })
    /** An app in a workspace that the owner is no member of. */
    async function foreignApp(): Promise<string> {
      const { accountId } = place.owner
      const workspaceId = await place.edit.addWorkspace({ name: 'Foreign', accountId, createdAtMs: 0 })
      const id = await place.addApp(chatFile('Foreign'), { workspaceId })
      await place.ports.memberships.remove(accountId, workspaceId)
      return id
    }
    const failing = async () => {
      throw new DomainError('enterprise_failed', {})
    }

    for (const [mode, admitsAccount, admitsExternal] of [
      ['public', true, true],
      ['sso_verified', true, true],
      ['private_all', true, false],
      [null, true, false],
      ['', true, false],
      ['of the future', false, false],
    ] as const) {
      it(`D08 mode ${JSON.stringify(mode)}: account ${admitsAccount}, external person ${admitsExternal}`, async () => {
        let asked = 0
        await open(() =>
          aPolicy({
            modeOf: async () => mode,
            permits: async () => {
              asked++
              return true
            },
          }),
        )
        expect((await run(account)).status).to.equal(admitsAccount ? 200 : 403)
        expect((await run(external)).status).to.equal(admitsExternal ? 200 : 403)
        expect(asked).to.equal(0)
      })
    }

    for (const permits of [true, false]) {
      it(`D08 mode private asks once, and ${permits ? 'admits' : 'refuses'} as told`, async () => {
        let asked = 0
        await open(() =>
          aPolicy({
            modeOf: async () => 'private',
            permits: async () => {
              asked++
              return permits
            },
          }),
        )
        const reply = await run(external)
        expect(reply.status).to.equal(permits ? 200 : 403)
        if (!permits) expect(said(reply)).to.equal('403 subject_no_app_access')
        expect(asked).to.equal(1)
      })
    }

    it('D04 without web-app auth membership decides: members pass, external people do not', async () => {
      await open(() => aPolicy({ enabled: async () => false }))
      expect((await run(account)).status).to.equal(200)
      expect(said(await run(external))).to.equal('403 subject_no_app_access')
    })

    for (const broken of ['enabled', 'modeOf', 'permits'] as const) {
      it(`D08 a policy that fails at ${broken} is a 503, and nobody gets in`, async () => {
        await open(() => aPolicy({ modeOf: async () => 'private', [broken]: failing }))
        const reply = await run(external)
        expect(said(reply)).to.equal('503 access_check_failed')
        expect(reply.headers.get('Retry-After')).to.equal('5')
        expect(await place.edit.auditRows('app.run.openapi')).to.have.length(0)
      })
    }

    it('a person, a mail domain or a group is let into a private app, and out again at the next request', async () => {
      await openBuiltIn()
      const { appAccess } = place.cases
      await appAccess.change(appId, { mode: 'private' }, null)
      expect(said(await run(external))).to.equal('403 subject_no_app_access')
      const grants = [
        { type: 'email', value: EVE.email },
        { type: 'domain', value: 'company.example' },
        { type: 'group', value: 'staff' },
      ] as const
      await place.ports.externals.noteSignOn({ ...EVE, sub: null, groups: ['staff'] }, place.clock.now())
      for (const grant of grants) {
        await appAccess.change(appId, { grant: [grant] }, null)
        expect((await run(external)).status, grant.type).to.equal(200)
        await appAccess.change(appId, { withdraw: [grant] }, null)
        expect((await run(external)).status, grant.type).to.equal(403)
      }
      await appAccess.change(appId, { grant: [grants[2]] }, null)
      await place.cases.changeExternal.setGroups(EVE.issuer, EVE.email, [])
      expect(said(await run(external)), 'removed from the group').to.equal('403 subject_no_app_access')
    })

    it('a group of another issuer, or of an account with that email, opens nothing', async () => {
      await openBuiltIn()
      await place.cases.appAccess.change(appId, { mode: 'private', grant: [{ type: 'group', value: 'staff' }] }, null)
      const other = { email: EVE.email, issuer: 'https://other.example' }
      await place.ports.externals.noteSignOn({ ...other, sub: null, groups: ['staff'] }, place.clock.now())
      expect((await run(external)).status).to.equal(403)
      expect((await run(account)).status).to.equal(403)
    })

    it('D12 an external person owns what they leave behind through one end user an app', async () => {
      await openBuiltIn()
      await place.cases.appAccess.change(appId, { mode: 'public' }, null)
      const replies = await Promise.all(Array.from({ length: 20 }, () => run(external)))
      for (const reply of replies) expect(reply.status, reply.text).to.equal(200)
      const [first, second] = replies.map(({ json }) => json.conversation_id)
      // Both conversations belong to the same end user: either token may go on with either.
      for (const conversation_id of [first, second]) {
        const again = await place.post(`${API}/apps/${appId}/run`, {
          token: external,
          json: { inputs: {}, query: 'on', conversation_id },
        })
        expect(again.status, again.text).to.equal(200)
      }
      const stranger = await mintExternal(place, 'mallory@company.example', 'laptop', EVE.issuer)
      const stolen = await place.post(`${API}/apps/${appId}/run`, {
        token: stranger,
        json: { inputs: {}, query: 'mine', conversation_id: first },
      })
      expect(stolen.status).to.equal(404)
      const rows = await place.edit.auditRows('app.run.openapi')
      expect(rows[0]?.facts).to.include({ caller_kind: 'end_user' })
    })

    it('a blocked person’s tokens die at once, and no new one is picked up until the block is lifted', async () => {
      await openBuiltIn()
      await place.cases.appAccess.change(appId, { mode: 'public' }, null)
      expect((await run(external)).status).to.equal(200)
      expect(await place.cases.changeExternal.block({ email: ' Eve@Company.example ', issuer: null })).to.equal(1)
      expect(said(await run(external))).to.equal('401 invalid_bearer')
      expect(await place.ports.externals.isBlocked(EVE.issuer, EVE.email)).to.equal(true)
      expect(await place.cases.changeExternal.unblock({ email: EVE.email, issuer: null })).to.equal(true)
      expect((await run(await mintExternal(place, EVE.email, 'laptop', EVE.issuer))).status).to.equal(200)
    })

    it('B04b external people may neither list nor describe the apps of a workspace', async () => {
      await openBuiltIn()
      for (const path of [`/apps?workspace_id=${place.owner.workspaceId}`, `/apps/${appId}/describe`]) {
        const reply = await place.get(API + path, { token: external })
        expect(said(reply)).to.equal('403 insufficient_scope')
        expect(reply.json.message).to.equal('insufficient_scope: apps:read')
      }
    })

    it('C03 built-in Enterprise keeps workspaces apart for accounts', async () => {
      await openBuiltIn()
      await place.cases.appAccess.change(appId, { mode: 'public' }, null)
      const foreign = await foreignApp()
      await place.cases.appAccess.change(foreign, { mode: 'public' }, null)
      expect(said(await run(account, foreign))).to.equal('403 workspace_membership_revoked')
      expect((await run(external, foreign)).status, 'Layer 0 is for accounts').to.equal(200)
    })

    it('C03 C10 behind a remote service its gateway keeps workspaces apart, so nothing is asked here', async () => {
      await open(() => aPolicy(), { remoteIsolation: true })
      const foreign = await foreignApp()
      expect((await place.get(`${API}/apps/${foreign}/describe`, { token: account })).status).to.equal(200)
      expect((await run(account, foreign)).status).to.equal(200)
    })

    it('G16 the permitted list is for external people alone, and another’s try is recorded', async () => {
      await openBuiltIn()
      const reply = await permitted('', account)
      expect(said(reply)).to.equal('403 wrong_subject_type')
      expect(reply.json.message).to.equal('token subject type not accepted here')
      const rows = await place.edit.auditRows('openapi.wrong_surface_denied')
      expect(rows).to.have.length(1)
      expect(rows[0]?.facts).to.include({ route: '/openapi/v1/apps/permitted', subject_type: 'account' })
      expect((await place.get(`${API}/apps/permitted`)).status).to.equal(401)
    })

    it('G16 names and workspaces come from here; rows that are gone or off shorten the page only', async () => {
      const ids: string[] = []
      await open(() => aPolicy({ permittedApps: async () => ({ ids, total: 42 }) }))
      const off = await place.addApp(chatFile('Off'))
      await place.edit.setApp(off, { apiEnabled: false })
      ids.push('0198c7f0-0000-7000-8000-000000000000', off, appId, 'no id at all')
      const { json, status } = await permitted('?page=1&limit=20')
      expect(status).to.equal(200)
      expect(json).to.include({ page: 1, limit: 20, total: 42, has_more: true })
      expect(json.data.map(({ id }: { id: string }) => id)).to.deep.equal([appId])
      expect(json.data[0]).to.include({ workspace_id: place.owner.workspaceId, created_by_name: null })
      expect(json.data[0].tags).to.deep.equal([])
      const alias = await place.get(`${API}/permitted-external-apps?page=1&limit=20`, { token: external })
      expect(alias.json).to.deep.equal(json)
    })

    it('G16 the built-in table permits open apps and granted private ones', async () => {
      await openBuiltIn()
      const [open1, granted, closed] = await Promise.all(['A', 'B', 'C'].map((one) => place.addApp(chatFile(one))))
      await place.cases.appAccess.change(open1 ?? '', { mode: 'sso_verified' }, null)
      await place.cases.appAccess.change(
        granted ?? '',
        { mode: 'private', grant: [{ type: 'domain', value: 'company.example' }] },
        null,
      )
      await place.cases.appAccess.change(closed ?? '', { mode: 'private' }, null)
      const { json } = await permitted()
      expect(json.data.map(({ id }: { id: string }) => id)).to.deep.equal([open1, granted])
      expect(json.total).to.equal(2)
    })

    for (const query of ['?workspace_id=x', '?tag=a', '?page=0', '?limit=0', '?limit=201', '?mode=x', '?colour=red']) {
      it(`G16 ${query} is a 422 that names the parameter`, async () => {
        await openBuiltIn()
        const reply = await permitted(query)
        expect(reply.status).to.equal(422)
        expect(reply.json.details[0].loc).to.deep.equal([query.slice(1).split('=')[0]])
      })
    }

    it('G16 a service that fails is a 503', async () => {
      await open(() => aPolicy({ permittedApps: failing }))
      expect(said(await permitted())).to.equal('503 permitted_apps_unavailable')
    })

    it('G07 an external person never sees or ends an account’s session, its email or not', async () => {
      await openBuiltIn()
      const twin = await mintExternal(place, 'owner@example.test', 'laptop', EVE.issuer)
      const own = await place.get(`${API}/account/sessions`, { token: account })
      const [{ id }] = own.json.data
      expect((await place.get(`${API}/account/sessions`, { token: twin })).json.total).to.equal(1)
      const reply = await place.delete(`${API}/account/sessions/${id}`, { token: twin })
      expect(reply.status).to.equal(404)
      expect((await place.get(`${API}/account`, { token: account })).status).to.equal(200)
    })
  })
}
