import { createServer } from 'node:http'
import { expect } from 'chai'
import sinon from 'sinon'
import { MAX_PENDING_IMPORTS, PENDING_IMPORT_TTL_MS } from '#application/ports/pending-imports.ts'
import { type Loopback, onLoopback } from '../../support/loopback.ts'
import type { WorldOptions } from '../../support/world.ts'
import { chatFile, workflowFile } from '../app-files.ts'
import { said } from '../flow.ts'
import { API, aColleague, aPlace, mintExternal, mintOwn, NO_BEARER_LIMIT, type Place } from '../place.ts'

const NEWER = workflowFile('Newer').replace('"0.6.0"', '"1.0.0"')
const OLDER = workflowFile('Older').replace('"0.6.0"', '"0.1.5"')

/** Importing app files with a bearer and with cookies, on whatever stores `options` name. */
export function importsSuite(name: string, options: WorldOptions): void {
  describe(`imports: ${name}`, () => {
    let place: Place
    let owner: string
    let at: string
    beforeEach(async () => {
      const settings = NO_BEARER_LIMIT
      // The loopback that the tests of addresses serve files on; what else apps may reach is as always.
      place = await aPlace({ ...options, settings, egress: { allowCidrs: ['127.0.0.1/32'], allowHosts: [] } })
      owner = await mintOwn(place)
      at = `${API}/workspaces/${place.owner.workspaceId}/apps/imports`
    })
    afterEach(async () => {
      sinon.restore()
      await place.close()
    })

    const bring = (yaml: string, more: object = {}, token = owner) =>
      place.post(at, { token, json: { mode: 'yaml-content', yaml_content: yaml, ...more } })
    const confirm = (id: string, token = owner) => place.post(`${at}/${id}/confirm`, { token })
    const total = async () =>
      (await place.ports.apps.search({ workspaceId: place.owner.workspaceId, page: 1, limit: 1 })).total

    it('N01 an imported app has its API on, is published, and runs', async () => {
      const reply = await bring(workflowFile('Fresh'))
      expect(reply.status).to.equal(200)
      const { id, app_id: appId, ...rest } = reply.json
      expect(id).to.match(/^[0-9a-f-]{36}$/)
      expect(rest).to.deep.equal({
        status: 'completed',
        app_mode: 'workflow',
        current_dsl_version: '0.6.0',
        imported_dsl_version: '0.6.0',
        error: '',
      })
      const run = await place.post(`${API}/apps/${appId}/run`, { token: owner, json: { inputs: {} } })
      expect(run.json.data.status).to.equal('succeeded')
    })

    it('N01 an older file is completed with warnings; name, description and picture override it', async () => {
      const icon = { icon_type: 'emoji', icon: '🤖', icon_background: '#fff' }
      const reply = await bring(OLDER, { name: 'Mine', description: 'My own', ...icon })
      expect(reply.json).to.include({ status: 'completed-with-warnings', imported_dsl_version: '0.1.5' })
      const { data } = (await place.get(`${API}/apps/${reply.json.app_id}/export`, { token: owner })).json
      for (const line of ['name: Mine', 'description: My own', 'icon: 🤖', 'icon_type: emoji']) {
        expect(data).to.contain(line)
      }
    })

    it('N01 fields that are null are absent', async () => {
      const none = { name: null, description: null, app_id: null, yaml_url: null, icon: null, icon_type: null }
      expect((await bring(chatFile('As it says'), none)).status).to.equal(200)
      const found = await place.ports.apps.search({ workspaceId: place.owner.workspaceId, page: 1, limit: 1 })
      expect(found.data[0]?.name).to.equal('As it says')
    })

    const BROKEN: Readonly<Record<string, readonly [yaml: string, error: RegExp]>> = {
      'no YAML': ['a: [', /line 1/],
      'no app file': ['- 1', /mapping/],
      'of no mode': ['kind: app\napp: {mode: nothing}', /app\.mode/],
      'a bomb': [`a: &a [x,x,x,x,x,x,x,x,x,x]\n${'b: [*a]\n'.repeat(1)}c: [${'*a,'.repeat(2000)}]`, /./],
    }
    for (const [what, [yaml, error]] of Object.entries(BROKEN)) {
      it(`N01 a file that is ${what} failed, and nothing is stored`, async () => {
        const reply = await bring(yaml)
        expect(reply.status).to.equal(400)
        expect(reply.json).to.include({ status: 'failed', app_id: null, code: 'bad_request' })
        expect(reply.json.error).to.match(error)
        expect(reply.json.message).to.equal(reply.json.error)
        expect(await total()).to.equal(0)
      })
    }

    it('N01 a file of a newer format waits, stores nothing, and is confirmed by its bringer', async () => {
      const pending = await bring(NEWER, { name: 'Confirmed' })
      expect(pending.status).to.equal(202)
      expect(pending.json).to.include({ status: 'pending', app_id: null, imported_dsl_version: '1.0.0', error: '' })
      expect(await total()).to.equal(0)
      const reply = await confirm(pending.json.id)
      expect([reply.status, reply.json.status, reply.json.id]).to.deep.equal([200, 'completed', pending.json.id])
      expect((await place.ports.apps.find(reply.json.app_id))?.name).to.equal('Confirmed')
    })

    it('N01 of ten confirmations at once one imports, and none does later', async () => {
      const { json } = await bring(NEWER)
      const replies = await Promise.all(Array.from({ length: 10 }, () => confirm(json.id)))
      expect(replies.map(({ status }) => status).toSorted()).to.deep.equal([200, ...Array(9).fill(404)])
      expect(await total()).to.equal(1)
      const late = await confirm(json.id)
      expect([late.status, late.json.message]).to.deep.equal([404, 'import not found'])
    })

    it('N01 nobody else confirms it, not from elsewhere either, and it does not wait for ever', async () => {
      const { json } = await bring(NEWER)
      const editor = await aColleague(place, 'editor')
      const { accountId } = place.owner
      const second = await place.edit.addWorkspace({ name: 'Second', accountId, createdAtMs: place.clock.now() })
      const elsewhere = `${API}/workspaces/${second}/apps/imports/${json.id}/confirm`
      const unknown = await confirm(place.ports.newId())
      for (const reply of [await confirm(json.id, editor.token), await place.post(elsewhere, { token: owner })]) {
        expect([reply.status, reply.text]).to.deep.equal([404, unknown.text])
      }
      expect((await confirm('junk')).text).to.equal(unknown.text)
      place.clock.advance(PENDING_IMPORT_TTL_MS)
      expect((await confirm(json.id)).text).to.equal(unknown.text)
      expect(await total()).to.equal(0)
    })

    it('N01 who lost the role meanwhile confirms nothing, and could once it is back', async () => {
      const editor = await aColleague(place, 'admin')
      const { json } = await bring(NEWER, {}, editor.token)
      const where = { actorId: place.owner.accountId, workspaceId: place.owner.workspaceId }
      await place.cases.members.setRole(where, editor.accountId, 'normal')
      expect((await confirm(json.id, editor.token)).status).to.equal(403)
      await place.cases.members.setRole(where, editor.accountId, 'admin')
      expect((await confirm(json.id, editor.token)).status).to.equal(200)
    })

    it('N01 a confirmation that fails on the way can be repeated', async () => {
      const { json } = await bring(NEWER)
      sinon.stub(place.ports.apps, 'add').rejects(new Error('broken by the test'))
      expect((await confirm(json.id)).status).to.equal(500)
      sinon.restore()
      expect((await confirm(json.id)).status).to.equal(200)
    })

    it('N01 what one person leaves waiting is bounded', async () => {
      const ids: string[] = []
      for (let at = 0; at <= MAX_PENDING_IMPORTS; at++) {
        place.clock.advance(1)
        ids.push((await bring(NEWER)).json.id)
      }
      expect((await confirm(ids[0] ?? '')).status).to.equal(404)
      expect((await confirm(ids[1] ?? '')).status).to.equal(200)
    })

    it('N01 a file replaces an app of its mode; runs under way and later ones each have their version', async () => {
      const appId = (await bring(workflowFile('Before'))).json.app_id
      const run = () => place.post(`${API}/apps/${appId}/run`, { token: owner, json: { inputs: {} } })
      const ids = new Set<string>()
      const [first, , ...others] = await Promise.all([
        run(),
        bring(workflowFile('After'), { app_id: appId.toUpperCase() }),
        run(),
        run(),
      ])
      for (const { status, json } of [first, ...others, await run()]) {
        expect(status).to.equal(200)
        expect(json.data.status).to.equal('succeeded')
        ids.add(json.data.workflow_id)
      }
      expect(ids.size).to.be.within(1, 2)
      expect((await place.ports.apps.find(appId))?.name).to.equal('After')
      const [before] = [...ids]
      const old = await place.get(`${API}/apps/${appId}/export?workflow_id=${before}`, { token: owner })
      expect(old.status).to.equal(200)
      expect(await total()).to.equal(1)
    })

    it('N01 a file does not replace an app of another mode, or of another workspace', async () => {
      const appId = await place.addApp(chatFile())
      const reply = await bring(workflowFile(), { app_id: appId })
      expect(reply.json).to.include({ status: 'failed', error: 'the app is chat, the file workflow' })
      const { accountId } = place.owner
      const workspaceId = await place.edit.addWorkspace({ name: 'Second', accountId, createdAtMs: place.clock.now() })
      const foreign = await place.addApp(workflowFile(), { workspaceId })
      for (const id of [foreign, place.ports.newId()]) {
        expect((await bring(workflowFile(), { app_id: id })).json.message).to.equal('app not found')
      }
    })

    for (const [role, status] of [
      ['owner', 200],
      ['admin', 200],
      ['editor', 200],
      ['normal', 403],
    ] as const) {
      it(`N01 ${role}: an import, its confirmation, an export and the dependencies answer ${status}`, async () => {
        const appId = await place.addApp(chatFile())
        const { token } = await aColleague(place, role, `${role}.two@example.test`)
        const replies = [
          await bring(chatFile(), {}, token),
          await bring('broken: [', {}, token),
          await place.get(`${API}/apps/${appId}/export`, { token }),
          await place.get(`${API}/apps/${appId}/check-dependencies`, { token }),
        ]
        expect(replies.map((reply) => reply.status)).to.deep.equal([status, status === 200 ? 400 : 403, status, status])
        if (status === 403) expect(replies[1]?.json.message).to.equal('this takes the role editor or above')
      })
    }

    it('N01 people without an account here, strangers and junk reach no import', async () => {
      const external = await mintExternal(place)
      expect(said(await bring(chatFile(), {}, external))).to.equal('403 wrong_subject_type')
      expect(said(await confirm(place.ports.newId(), external))).to.equal('403 wrong_subject_type')
      const stranger = await aColleague(place, 'admin')
      await place.ports.memberships.remove(stranger.accountId, place.owner.workspaceId)
      expect((await bring(chatFile(), {}, stranger.token)).status).to.equal(404)
      for (const id of ['junk', '%2525', place.ports.newId()]) {
        const json = { mode: 'yaml-content', yaml_content: chatFile() }
        const reply = await place.post(`${API}/workspaces/${id}/apps/imports`, { token: owner, json })
        expect([reply.status, reply.json.message]).to.deep.equal([404, 'workspace not found'])
      }
    })

    it('N01 a confirmation without body and type is never 415', async () => {
      const { json } = await bring(NEWER)
      const how = { token: owner, headers: { 'Content-Length': '0' } }
      expect((await place.post(`${at}/${json.id}/confirm`, how)).status).to.equal(200)
      expect((await place.post(at, how)).status).to.equal(422)
    })

    it('N01 each mode needs its own field', async () => {
      for (const [mode, field] of [
        ['yaml-content', 'yaml_content'],
        ['yaml-url', 'yaml_url'],
      ]) {
        const { status, json } = await place.post(at, { token: owner, json: { mode } })
        expect([status, json.details[0].loc]).to.deep.equal([422, [field]])
      }
    })

    it('N01 a file of more than ten mebibytes is 413', async () => {
      expect((await bring(`#${'x'.repeat(10 * 1024 * 1024)}`)).status).to.equal(413)
      expect((await bring('x'.repeat(21 * 1024 * 1024))).status).to.equal(413)
    })

    describe('from an address', () => {
      let files: Loopback
      let asked: string[] = []
      let url: string
      before(async () => {
        const server = createServer((req, res) => {
          asked.push(String(req.url))
          if (req.url === '/app.yml') res.end(workflowFile('Fetched'))
          else if (req.url === '/inside') res.writeHead(302, { Location: 'http://127.0.0.2/secret' }).end()
          else if (req.url === '/latin') res.end(Buffer.from([0xff, 0xfe, 0x41]))
          else if (req.url === '/huge') res.end('x'.repeat(11 * 1024 * 1024))
          else res.writeHead(404).end('the inside of another server')
        })
        files = await onLoopback(server)
        url = files.url
      })
      beforeEach(() => {
        asked = []
      })
      after(() => files.close())

      const from = (yaml_url: string, token = owner) => place.post(at, { token, json: { mode: 'yaml-url', yaml_url } })

      it('N01 a file is fetched and imported', async () => {
        const reply = await from(`${url}/app.yml`)
        expect([reply.status, reply.json.status]).to.deep.equal([200, 'completed'])
        expect((await place.ports.apps.find(reply.json.app_id))?.name).to.equal('Fetched')
      })

      const CANNOT: readonly (readonly [path: string, why: RegExp])[] = [
        ['/gone', /answered 404/],
        ['/latin', /UTF-8/],
        ['/huge', /larger than/],
        ['/inside', /not open to apps/],
      ]
      for (const [path, why] of CANNOT) {
        it(`N01 ${path} failed, and the answer says nothing of what stood there`, async () => {
          const reply = await from(url + path)
          expect([reply.status, reply.json.status]).to.deep.equal([400, 'failed'])
          expect(reply.json.error).to.match(why)
          expect(reply.text).to.not.contain('another server')
        })
      }

      // What this server may reach is often what an attacker may not.
      for (const target of [
        'http://169.254.169.254/latest/meta-data',
        'http://[::ffff:127.0.0.2]/',
        'http://2130706434/',
        'http://localhost./x',
        'file:///etc/passwd',
        'gopher://127.0.0.1/',
        'http://user:secret@127.0.0.1/',
        '//127.0.0.1/app.yml',
      ]) {
        it(`N01 nothing is fetched from ${target}`, async () => {
          const reply = await from(target)
          expect([reply.status, reply.json.status]).to.deep.equal([400, 'failed'])
          expect(reply.text).to.not.contain('secret')
          expect(asked).to.deep.equal([])
        })
      }

      it('N01 who may not import makes this server ask nobody', async () => {
        const { token } = await aColleague(place, 'normal')
        expect((await from(`${url}/app.yml`, token)).status).to.equal(403)
        expect(asked).to.deep.equal([])
      })
    })

    it('N06 the console imports with the same body and answers', async () => {
      const { headers } = await place.signIn()
      const ask = (json: object) => place.post('/console/api/apps/imports', { headers, json })
      const completed = await ask({ mode: 'yaml-content', yaml_content: chatFile('Console') })
      expect(Object.keys(completed.json)).to.deep.equal(Object.keys((await bring(chatFile())).json))
      const failed = await ask({ mode: 'yaml-content', yaml_content: 'a: [' })
      expect([failed.status, failed.json.status]).to.deep.equal([400, 'failed'])
      const pending = await ask({ mode: 'yaml-content', yaml_content: NEWER })
      expect([pending.status, pending.json.status]).to.deep.equal([202, 'pending'])
      const at = `/console/api/apps/imports/${pending.json.id}/confirm`
      const replies = await Promise.all([place.post(at, { headers }), place.post(at, { headers })])
      expect(replies.map(({ status }) => status).toSorted()).to.deep.equal([200, 404])
      expect((await place.post(at, { headers: { Cookie: headers.Cookie ?? '' } })).status).to.equal(401)
    })
  })
}
