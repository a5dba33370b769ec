import { expect } from 'chai'
import { newId } from '#adapters/crypto/ids.ts'
import { chatFile, jsonFile } from './app-files.ts'
import { API, aPlace, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'

describe('hostile text', () => {
  let place: Place
  let token: string
  let appId: string

  before(async () => {
    place = await aPlace({ settings: NO_BEARER_LIMIT })
    token = await mintOwn(place)
    appId = await place.addApp(chatFile())
  })
  after(() => place.close())

  const IDS = ['%00', 'a%2Fb', '..%2F..%2Fetc', '%01', '%zz', '%', '%E0%A4%A', '%ED%A0%80', 'null', '0', '%F0%9F%92%A9']
  const BY_ID: readonly (readonly [string, (id: string) => string, string])[] = [
    ['GET', (id) => `${API}/apps/${id}/describe`, 'app not found'],
    ['POST', (id) => `${API}/apps/${id}/run`, 'app not found'],
    ['GET', (id) => `${API}/workspaces/${id}`, 'workspace not found'],
    ['DELETE', (id) => `${API}/account/sessions/${id}`, 'session not found'],
  ]
  for (const [method, pathOf, message] of BY_ID) {
    it(`A15 an id that is none is the 404 of ${method} ${pathOf(':id')}`, async () => {
      const body = method === 'POST' ? { json: { inputs: {}, query: 'hi' } } : {}
      const unknown = await place.send(method, pathOf(newId()), { token, ...body })
      expect([unknown.status, unknown.json.message]).to.deep.equal([404, message])
      for (const id of IDS) {
        const reply = await place.send(method, pathOf(id), { token, ...body })
        expect(reply.status, id).to.equal(404)
        expect(reply.text, id).to.equal(unknown.text)
      }
    })
  }

  const BAD = ['\u0000', 'a\u0000b', '\ud800', 'x\udc00y']
  const BAD_QUERY = ['%00', 'a%00b', '%ED%A0%80', 'x%ff']
  const QUERIES: readonly (readonly [path: string, status: number])[] = [
    [`${API}/account/sessions?page=`, 422],
    [`${API}/apps?workspace_id=WS&name=`, 422],
    [`${API}/apps?workspace_id=WS&tag=`, 422],
    [`${API}/apps?workspace_id=WS&unknown=`, 422],
    [`${API}/apps?workspace_id=`, 422],
    [`${API}/apps/APP/describe?fields=`, 422],
    [`${API}/oauth/device/lookup?user_code=`, 400],
  ]
  for (const [path, status] of QUERIES) {
    it(`A15 NUL and broken text in ${path} are ${status}`, async () => {
      const whole = path.replace('WS', place.owner.workspaceId).replace('APP', appId)
      for (const bad of BAD_QUERY) expect((await place.get(whole + bad, { token })).status, bad).to.equal(status)
    })
  }

  it('A15 NUL and lone surrogates in any string of a body are the validation status', async () => {
    for (const bad of BAD) {
      const run = (json: unknown) => place.post(`${API}/apps/${appId}/run`, { json, token })
      for (const json of [
        { inputs: {}, query: bad },
        { inputs: { a: bad }, query: 'hi' },
        { inputs: { [bad]: 1 }, query: 'hi' },
        { inputs: { a: [{ b: bad }] }, query: 'hi' },
        { inputs: {}, query: 'hi', user: bad },
      ]) {
        expect((await run(json)).status, JSON.stringify(json)).to.equal(422)
      }
      for (const json of [
        { client_id: bad, device_label: 'laptop' },
        { client_id: 'difyctl', device_label: bad },
        { client_id: 'difyctl', device_label: 'laptop', extra: bad },
      ]) {
        const code = await place.post(`${API}/oauth/device/code`, { json })
        expect([code.status, code.json.error], JSON.stringify(json)).to.deep.equal([400, 'invalid_request'])
      }
      expect((await place.post('/console/api/login', { json: { email: bad, password: 'x' } })).status).to.equal(422)
    }
  })

  it('A15 NUL and broken text in a form are 400', async () => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    for (const bad of BAD_QUERY) {
      const body = `client_id=difyctl&device_label=${bad}`
      const reply = await place.post(`${API}/oauth/device/code`, { body, headers })
      expect([reply.status, reply.json.error], bad).to.deep.equal([400, 'invalid_request'])
    }
  })

  it('A15 a refresh cookie that is no text is unknown, not a fault', async () => {
    for (const value of ['%ff', '%', '%e0%a4', '%00']) {
      const reply = await place.post('/console/api/refresh-token', { headers: { Cookie: `refresh_token=${value}` } })
      expect([value, reply.status]).to.deep.equal([value, 401])
    }
  })

  it('A15 deep nesting is the validation status, whatever an app would do with it', async () => {
    const jsonApp = await place.addApp(jsonFile())
    const headers = { 'Content-Type': 'application/json' }
    const run = (deep: string) =>
      place.post(`${API}/apps/${jsonApp}/run`, { body: `{"inputs":{"j":${deep}}}`, headers, token })
    const objects = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
    expect((await run(objects(100))).status).to.equal(200)
    for (const deep of [objects(200), objects(10_000), objects(100_000), '['.repeat(10_000) + ']'.repeat(10_000)]) {
      const reply = await run(deep)
      expect([reply.status, reply.json.details?.[0]?.type]).to.deep.equal([422, 'too_deep'])
    }
  })

  it('ids mean the same in any case', async () => {
    const upper = appId.toUpperCase()
    const workspace = place.owner.workspaceId.toUpperCase()
    expect((await place.get(`${API}/apps/${upper}/describe`, { token })).json.info.id).to.equal(appId)
    expect((await place.get(`${API}/workspaces/${workspace}`, { token })).status).to.equal(200)
    expect((await place.get(`${API}/apps?workspace_id=${workspace}`, { token })).status).to.equal(200)
  })
})
