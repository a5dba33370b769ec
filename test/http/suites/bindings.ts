import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { aModelEndpoint } from '../../support/model-endpoint.ts'
import type { Browser, WorldOptions } from '../../support/world.ts'
import { chatFile, graphChatFile } from '../app-files.ts'
import { API, aPlace, mintOwn, type Place } from '../place.ts'

const BINDINGS = '/console/api/workspaces/current/bindings'
const KEY = 'sk-never-shown-again'
const LOOPBACK = { allowCidrs: ['127.0.0.0/8'], allowHosts: [] }

/** What a workspace binds, through the console, on whatever stores `options` name. */
export function bindingsSuite(name: string, options: WorldOptions): void {
  describe(`bindings: ${name}`, () => {
    let place: Place
    let owner: Browser
    before(async () => {
      place = await aPlace({ ...options, model: null, egress: LOOPBACK })
      owner = await place.signIn()
    })
    after(() => place.close())
    beforeEach(async () => {
      const { workspaceId } = place.owner
      for (const { subject } of await place.ports.bindings.list(workspaceId)) {
        await place.ports.bindings.remove(workspaceId, subject)
      }
    })

    const send = (method: string, path: string, browser: Browser | null, json?: object) =>
      place.send(method, path, { ...(json === undefined ? {} : { json }), headers: browser?.headers ?? {} })
    const put = (json: object, browser: Browser | null = owner) => send('PUT', BINDINGS, browser, json)
    const list = async () => (await send('GET', BINDINGS, owner)).json.data
    const model = (url: string, more: object = {}) => ({ kind: 'model', provider: 'openai', name: 'gpt', url, ...more })
    const run = (appId: string, token: string) =>
      place.post(`${API}/apps/${appId}/run`, { token, json: { inputs: {}, query: 'hi', response_mode: 'blocking' } })

    it('shows what was bound, and its key to nobody', async () => {
      const bound = await put(model('https://models.example/v1', { provider: 'langgenius/OpenAI/openai', key: KEY }))
      expect(bound.status, bound.text).to.equal(200)
      expect(bound.json).to.deep.include({ provider: 'openai', name: 'gpt', via: 'endpoint', key: 'kept' })
      const [shown, ...others] = await list()
      expect(others).to.deep.equal([])
      expect(shown).to.deep.equal(bound.json)
      expect(bound.text + JSON.stringify(shown)).not.to.include(KEY)
      const [stored] = await place.ports.bindings.list(place.owner.workspaceId)
      expect(JSON.stringify(stored)).not.to.include(KEY)
      expect(stored?.sealedKey).to.match(/^v1\./)
    })

    it('is for owners and admins, with cookie and CSRF token', async () => {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const json = method === 'PUT' ? model('https://a.example') : undefined
        const path = method === 'DELETE' ? `${BINDINGS}?kind=model&provider=openai&name=gpt` : BINDINGS
        expect((await send(method, path, null, json)).json.code, method).to.equal('unauthorized')
        const bearer = await place.send(method, path, { token: await mintOwn(place), ...(json ? { json } : {}) })
        expect(bearer.status, 'a bearer is no browser').to.equal(401)
        if (method !== 'GET') {
          const forged = await place.send(method, path, {
            ...(json ? { json } : {}),
            headers: { Cookie: owner.cookie },
          })
          expect(forged.json.error, method).to.equal('csrf_mismatch')
        }
        for (const role of ['normal', 'editor'] as const) {
          const email = `${randomUUID()}@example.test`
          await place.addMember(email, role)
          expect((await send(method, path, await place.signIn(email), json)).status, `${role} ${method}`).to.equal(403)
        }
      }
      const email = `${randomUUID()}@example.test`
      await place.addMember(email, 'admin')
      expect((await put(model('https://a.example'), await place.signIn(email))).status).to.equal(200)
    })

    // Whoever may edit a binding but never saw its key must not have it sent to a machine of their own.
    it('keeps a key only while it goes to the same origin', async () => {
      await put(model('https://models.example/v1', { key: KEY }))
      expect((await put(model('https://models.example/v2', { model: 'm' }))).json).to.include({ key: 'kept' })
      expect((await put(model('https://models.example:8443/v2'))).json).to.include({ key: 'none' })
      expect((await put(model('https://models.example/v1'))).json).to.include({ key: 'none' })
      await put(model('https://models.example/v1', { key: KEY }))
      expect((await put(model('https://models.example/v1', { key: null }))).json).to.include({ key: 'none' })
    })

    it('names the field that is wrong, and does not repeat what it held', async () => {
      const foreign = randomUUID()
      const tool = { kind: 'tool', provider: 'p', name: 't' }
      for (const [field, body] of [
        ['url', model('ftp://models.example')],
        ['url', model('https://user:secret@models.example')],
        ['url', model('nonsense')],
        ['url', { kind: 'model', provider: 'openai' }],
        ['url', model(`https://models.example/${'a'.repeat(2000)}`)],
        ['provider', model('https://models.example', { provider: '' })],
        ['name', model('https://models.example', { name: 'n'.repeat(256) })],
        ['name', { kind: 'dataset', url: 'https://docs.example' }],
        ['key', model('https://models.example', { key: 'a b' })],
        ['key', model('https://models.example', { key: 'a\r\nX-Evil: 1' })],
        ['kind', { kind: 'moon', url: 'https://models.example' }],
        ['via', { ...tool, url: 'https://a.example' }],
        ['via', { ...tool, via: 'endpoint', url: 'https://a.example' }],
        ['via', model('https://a.example', { via: 'js', code: 'main' })],
        ['document', { ...tool, via: 'openapi', url: 'https://a.example', document: { openapi: '3.1.0' } }],
        [
          'header',
          { ...tool, via: 'openapi', url: 'https://a.example', document: { paths: { '/': {} } }, header: 'a:b' },
        ],
        ['code', { ...tool, via: 'js', code: '1 + 1' }],
        ['app_id', { ...tool, via: 'app', app_id: foreign }],
        ['app_id', { ...tool, via: 'app', app_id: 'no-uuid' }],
      ] as const) {
        const reply = await put(body)
        expect(reply.status, JSON.stringify(body).slice(0, 100)).to.equal(422)
        expect(reply.json.details.map(({ loc }: { loc: string[] }) => loc.at(-1))).to.include(field)
        expect(reply.text).not.to.match(/secret|X-Evil|nonsense/)
      }
      expect(await list()).to.deep.equal([])
    })

    it('a tool may be an app of the workspace, and none of another’s', async () => {
      const appId = await place.addApp(chatFile())
      const tool = { kind: 'tool', provider: 'p', name: 't', via: 'app', app_id: appId }
      expect((await put(tool)).json).to.include({ via: 'app', app_id: appId })
      const { accountId } = await place.addMember(`${randomUUID()}@example.test`)
      const elsewhere = await place.edit.addWorkspace({ name: 'Elsewhere', accountId, createdAtMs: 0 })
      const source = chatFile()
      const foreign = await place.cases.importApp({ accountId, workspaceId: elsewhere, source })
      expect(foreign.status).to.equal('completed')
      expect((await put({ ...tool, app_id: 'appId' in foreign ? foreign.appId : '' })).status).to.equal(422)
    })

    it('removes once, and a second time there is nothing', async () => {
      await put(model('https://models.example'))
      const path = `${BINDINGS}?kind=model&provider=openai&name=gpt`
      expect((await send('DELETE', path, owner)).status).to.equal(200)
      expect((await send('DELETE', path, owner)).status).to.equal(404)
    })

    it('H10 an app with an unbound model is refused node by node, before anything is called', async () => {
      const token = await mintOwn(place)
      const appId = await place.addApp(graphChatFile())
      const refused = await run(appId, token)
      expect(refused.status).to.equal(400)
      expect(refused.json.code).to.equal('provider_not_initialize')
      const details = [{ node: 'llm', title: 'Model', reason: 'the model gpt is not bound' }]
      expect(refused.json.details.map(({ fix: _fix, ...rest }: { fix: string }) => rest)).to.deep.equal(details)
      expect(refused.json.details[0].fix).to.include('latchkey binding set model openai gpt --url URL')
      const described = await place.get(`${API}/apps/${appId}/describe`, { token })
      expect(described.json.preflight).to.deep.equal(refused.json.details)
    })

    it('H10 an app with a node that cannot be run is refused with everything it lacks', async () => {
      const file = graphChatFile().replace('{type: answer, title: Answer,', '{type: knowledge-index, title: Index,')
      const refused = await run(await place.addApp(file), await mintOwn(place))
      expect([refused.status, refused.json.code]).to.deep.equal([422, 'app_not_runnable'])
      expect(refused.json.details.map(({ node }: { node: string }) => node)).to.deep.equal(['llm', 'answer'])
      for (const detail of refused.json.details) expect(detail).to.have.all.keys('node', 'title', 'reason', 'fix')
    })

    it('runs an app on what its model is bound to, with that key and name, from the next run on', async () => {
      const endpoint = await aModelEndpoint('Bound and well.')
      try {
        const token = await mintOwn(place)
        const appId = await place.addApp(graphChatFile())
        expect((await run(appId, token)).status).to.equal(400)
        await put(model(endpoint.url, { model: 'real-name', key: KEY }))
        const reply = await run(appId, token)
        expect(reply.json.answer, reply.text).to.equal('Bound and well.')
        expect(endpoint.asked).to.deep.equal([{ authorization: `Bearer ${KEY}`, model: 'real-name' }])
        const { json } = await place.get(`${API}/apps/${appId}/describe`, { token })
        expect(json).to.have.all.keys('info', 'parameters', 'input_schema')
        const asked = await place.get(`${API}/apps/${appId}/describe?fields=preflight`, { token })
        expect(asked.json).to.deep.equal({ info: null, parameters: null, input_schema: null, preflight: [] })
        await put(model(endpoint.url, { name: '' }))
        await send('DELETE', `${BINDINGS}?kind=model&provider=openai&name=gpt`, owner)
        expect((await run(appId, token)).json.answer).to.equal('Bound and well.')
        expect(endpoint.asked.at(-1)).to.deep.equal({ authorization: 'Bearer none', model: 'gpt' })
      } finally {
        await endpoint.close()
      }
    })

    // SSRF: an admin of one workspace is not the operator, and 127.0.0.1 is the operator's machine.
    it('reaches a bound endpoint only where apps may go', async () => {
      const endpoint = await aModelEndpoint('Never said.')
      const shut = await aPlace({ ...options, model: null })
      try {
        const browser = await shut.signIn()
        const json = model(endpoint.url, { key: KEY })
        expect((await shut.send('PUT', BINDINGS, { json, headers: browser.headers })).status).to.equal(200)
        const appId = await shut.addApp(chatFile())
        const token = await mintOwn(shut)
        const reply = await shut.post(`${API}/apps/${appId}/run`, { token, json: { inputs: {}, query: 'hi' } })
        expect(reply.status).to.equal(400)
        expect(reply.json.message).to.include('127.0.0.1 is not open to apps')
        expect(endpoint.asked).to.deep.equal([])
      } finally {
        await shut.close()
        await endpoint.close()
      }
    })

    it('a key that no configured secret opens counts as no binding, and says so', async () => {
      await put(model('https://models.example', { key: KEY }))
      const [stored] = await place.ports.bindings.list(place.owner.workspaceId)
      if (stored === undefined) throw new Error('it was not stored')
      await place.ports.bindings.put({ ...stored, sealedKey: 'v1.b2xk.AAAA' })
      expect(await list()).to.have.nested.property('[0].key', 'lost')
      const reply = await run(await place.addApp(graphChatFile()), await mintOwn(place))
      expect(reply.json.code).to.equal('provider_not_initialize')
    })
  })
}
