import { expect } from 'chai'
import { OWNER, type WorldOptions } from '../../support/world.ts'
import { workflowFile } from '../app-files.ts'
import { said } from '../flow.ts'
import { API, aColleague, aPlace, mintOwn, type Place } from '../place.ts'

const CONSOLE = '/console/api'

/** What a script that sets a server up calls, in its order, on whatever stores `options` name. */
export function provisioningSuite(name: string, options: WorldOptions): void {
  describe(`provisioning: ${name}`, () => {
    let place: Place
    let headers: Readonly<Record<string, string>>
    beforeEach(async () => {
      place = await aPlace(options)
      headers = (await place.signIn()).headers
    })
    afterEach(() => place.close())

    const get = (path: string) => place.get(CONSOLE + path, { headers })
    const post = (path: string, json: unknown = {}) => place.post(CONSOLE + path, { headers, json })

    it('N06 from a bare server to an app that a terminal runs', async () => {
      await place.edit.forgetSetUp()
      const person = { email: 'script@example.test', name: 'Script', password: 'a good one 1' }
      expect((await place.post(`${CONSOLE}/setup`, { json: person })).status).to.equal(201)
      const browser = await place.signIn(person.email, person.password)
      headers = browser.headers

      const { workspaces } = (await get('/workspaces')).json
      expect(workspaces).to.have.length(1)
      expect(workspaces[0]).to.include({ role: 'owner', status: 'normal', current: true })
      const tenant_id = workspaces[0].id
      const switched = await post('/workspaces/switch', { tenant_id })
      expect(switched.json).to.deep.equal({ result: 'success', new_tenant: workspaces[0] })

      const none = await get('/apps?name=Greeting&page=1&limit=10')
      expect(none.json).to.deep.equal({ page: 1, limit: 10, total: 0, has_more: false, data: [] })
      const file = { mode: 'yaml-content', yaml_content: workflowFile('Greeting') }
      const { app_id: appId } = (await post('/apps/imports', file)).json
      const found = (await get('/apps?name=greet')).json
      expect([found.total, found.data[0].id, found.data[0].enable_api]).to.deep.equal([1, appId, true])

      expect((await post(`/apps/${appId}/api-enable`, { enable_api: true })).json.enable_api).to.equal(true)
      const published = await post(`/apps/${appId}/workflows/publish`)
      expect(published.json).to.deep.equal({ result: 'success', created_at: Math.floor(place.clock.now() / 1000) })

      const tag = (await post('/tags', { name: 'demo', type: 'app' })).json
      expect(tag).to.deep.include({ name: 'demo', type: 'app', binding_count: 0 })
      const binding = { tag_ids: [tag.id], target_id: appId, type: 'app' }
      expect((await post('/tag-bindings', binding)).json).to.deep.equal({ result: 'success' })
      expect((await get('/tags?type=app')).json).to.deep.equal([{ ...tag, binding_count: 1 }])
      const mode = { appId, accessMode: 'public' }
      expect((await post('/enterprise/webapp/app/access-mode', mode)).json).to.deep.equal({ result: 'success' })

      const { token } = await place.login({ browser })
      const listed = await place.get(`${API}/apps?workspace_id=${tenant_id}&tag=demo`, { token })
      expect(listed.json.data.map((app: { id: string }) => app.id)).to.deep.equal([appId])
      const run = await place.post(`${API}/apps/${appId}/run`, { token, json: { inputs: {} } })
      expect(run.json.data.status).to.equal('succeeded')
    })

    it('N06 done twice, the script changes nothing', async () => {
      const appId = await place.addApp(workflowFile('Greeting'))
      const once = async () => {
        const tag = (await post('/tags', { name: ' demo ' })).json
        await post('/tag-bindings', { tag_ids: [tag.id], target_id: appId })
        await post(`/apps/${appId}/workflows/publish`)
        await post(`/apps/${appId}/api-enable`, { enable_api: true })
        return [(await get('/tags')).json, (await get('/apps')).json]
      }
      expect(await once()).to.deep.equal(await once())
    })

    it('N06 an app whose API is switched off refuses its callers at once, shows to its editors, and comes back', async () => {
      const appId = await place.addApp(workflowFile())
      const token = await mintOwn(place)
      const run = () => place.post(`${API}/apps/${appId}/run`, { token, json: { inputs: {} } })
      expect((await run()).status).to.equal(200)
      expect((await post(`/apps/${appId}/api-enable`, { enable_api: false })).json.enable_api).to.equal(false)
      expect(said(await run())).to.equal('403 service_api_disabled')
      expect((await get('/apps')).json.data[0]).to.include({ id: appId, enable_api: false })
      const listed = await place.get(`${API}/apps?workspace_id=${place.owner.workspaceId}`, { token })
      expect(listed.json.total).to.equal(0)
      await post(`/apps/${appId}/api-enable`, { enable_api: true })
      expect((await run()).status).to.equal(200)
    })

    it('N06 what has no version cannot be published', async () => {
      const appId = await place.addApp(workflowFile())
      await place.edit.removeDefinitions(appId)
      const reply = await post(`/apps/${appId}/workflows/publish`)
      expect([reply.status, reply.json.code]).to.deep.equal([400, 'app_unavailable'])
    })

    for (const [role, status] of [
      ['admin', 200],
      ['editor', 200],
      ['normal', 403],
    ] as const) {
      it(`N06 ${role}: what changes apps and tags answers ${status}`, async () => {
        const appId = await place.addApp(workflowFile())
        const tag = (await post('/tags', { name: 'mine' })).json
        const { email } = await aColleague(place, role)
        headers = (await place.signIn(email, OWNER.password)).headers
        const replies = [
          await post(`/apps/${appId}/api-enable`, { enable_api: false }),
          await post(`/apps/${appId}/workflows/publish`),
          await post('/tags', { name: 'theirs' }),
          await post('/tag-bindings', { tag_ids: [tag.id], target_id: appId }),
          await post('/apps/imports', { mode: 'yaml-content', yaml_content: workflowFile() }),
        ]
        expect(replies.map((reply) => reply.status)).to.deep.equal(Array(5).fill(status))
        for (const path of ['/workspaces', '/apps', '/tags']) expect((await get(path)).status).to.equal(200)
      })
    }

    it('N06 what is foreign is as if it were not there', async () => {
      const stranger = await aColleague(place, 'owner', 'stranger@example.test')
      await place.ports.memberships.remove(stranger.accountId, place.owner.workspaceId)
      const workspaceId = await place.edit.addWorkspace({
        name: 'Theirs',
        accountId: stranger.accountId,
        createdAtMs: place.clock.now(),
      })
      const appId = await place.addApp(workflowFile())
      const tag = (await post('/tags', { name: 'ours' })).json
      const own = headers
      headers = (await place.signIn(stranger.email, OWNER.password)).headers
      expect((await get('/apps')).json.total).to.equal(0)
      expect((await get('/tags')).json).to.deep.equal([])
      const theirs = (await post('/tags', { name: 'theirs' })).json
      const unknown = place.ports.newId()
      for (const id of [appId, unknown]) {
        const replies = [
          await post(`/apps/${id}/api-enable`, { enable_api: false }),
          await post(`/apps/${id}/workflows/publish`),
          await post('/tag-bindings', { tag_ids: [theirs.id], target_id: id }),
        ]
        for (const reply of replies) expect([reply.status, reply.json.message]).to.deep.equal([404, 'app not found'])
      }
      headers = own
      for (const id of [theirs.id, unknown]) {
        expect((await post('/tag-bindings', { tag_ids: [tag.id, id], target_id: appId })).status).to.equal(404)
      }
      expect((await get('/apps')).json.data[0].tags).to.deep.equal([])
      for (const tenant_id of [workspaceId, unknown]) {
        const reply = await post('/workspaces/switch', { tenant_id })
        expect([reply.status, reply.json.message]).to.deep.equal([404, 'workspace not found'])
      }
    })

    it('N06 nothing changes without the CSRF token, nothing is told without a session', async () => {
      const appId = await place.addApp(workflowFile())
      const cookie = { Cookie: headers.Cookie ?? '' }
      for (const path of [
        '/workspaces/switch',
        '/apps/imports',
        `/apps/${appId}/api-enable`,
        `/apps/${appId}/workflows/publish`,
        '/tags',
        '/tag-bindings',
      ]) {
        expect(said(await place.post(CONSOLE + path, { headers: cookie, json: {} })), path).to.equal(
          '401 csrf_mismatch',
        )
        expect(said(await place.post(CONSOLE + path, { json: {} })), path).to.equal('401 unauthorized')
      }
      for (const path of ['/workspaces', '/apps', '/tags']) {
        expect(said(await place.get(CONSOLE + path)), path).to.equal('401 unauthorized')
        const bearer = await place.get(CONSOLE + path, { token: await mintOwn(place) })
        expect(said(bearer), path).to.equal('401 unauthorized')
      }
    })
  })
}
