import { expect } from 'chai'
import { chatFile } from './app-files.ts'
import { API, aPlace, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'

describe('routing', () => {
  let place: Place
  let token: string
  let appId: string

  before(async () => {
    place = await aPlace({ settings: NO_BEARER_LIMIT })
    token = await mintOwn(place)
    appId = await place.addApp(chatFile())
  })
  after(() => place.close())

  it('A01 health answers under the prefix and nowhere else', async () => {
    const health = await place.get(`${API}/_health`)
    expect(health.status).to.equal(200)
    expect(health.text).to.equal('{"ok":true}')
    for (const path of ['/_health', '/v1/_health']) expect((await place.get(path)).status, path).to.equal(404)
  })

  // A proxy in front that guards a path by its spelling must not be walked around by another one.
  it('A03 paths are case-sensitive', async () => {
    for (const path of ['/OPENAPI/v1/_health', `${API}/_HEALTH`, '/Console/api/setup', '/Signin']) {
      expect((await place.get(path)).status, path).to.equal(404)
    }
  })

  it('A03 a slash behind a path makes another one', async () => {
    for (const path of [`${API}/_health/`, `${API}/_version/`, '/console/api/setup/', '/signin/', `${API}//_version`]) {
      expect((await place.get(path)).status, path).to.equal(404)
    }
  })

  const RETIRED: readonly [method: string, path: string][] = [
    ['POST', '/v1/oauth/device/code'],
    ['POST', '/v1/oauth/device/token'],
    ['GET', '/v1/oauth/device/lookup'],
    ['POST', '/v1/oauth/device/approve'],
    ['POST', '/v1/oauth/device/deny'],
    ['GET', '/v1/device/sso-complete'],
    ['GET', '/v1/me'],
    ['DELETE', '/v1/oauth/authorizations/self'],
    ['POST', '/console/api/oauth/device/approve'],
    ['POST', '/console/api/oauth/device/deny'],
    ['GET', `${API}/apps/ID`],
    ['GET', `${API}/apps/ID/info`],
    ['GET', `${API}/apps/ID/parameters`],
    ['POST', `${API}/apps/ID/chat-messages`],
    ['POST', `${API}/apps/ID/completion-messages`],
    ['POST', `${API}/apps/ID/workflows/run`],
    ['GET', '/inner/api/info'],
    ['POST', '/v1/chat-messages'],
    ['GET', '/v1/parameters'],
  ]
  for (const [method, path] of RETIRED) {
    it(`A03 ${method} ${path} is retired: 404, also with a good bearer and an app that exists`, async () => {
      const reply = await place.send(method, path.replace('ID', appId), { token })
      expect(reply.status).to.equal(404)
      expect(reply.json.error).to.equal('not_found')
    })
  }

  it('A04 an unknown path under the prefix answers the one error body', async () => {
    const reply = await place.get(`${API}/no/such/thing`)
    expect(reply.status).to.equal(404)
    expect(reply.headers.get('content-type')).to.match(/^application\/json/)
    expect(reply.json).to.deep.equal({ error: 'not_found', code: 'not_found', message: 'not_found', status: 404 })
  })

  it('answers a wrong method with 405 and the methods that there are', async () => {
    const reply = await place.delete(`${API}/account`, { token })
    expect(reply.status).to.equal(405)
    expect(reply.headers.get('allow')?.split(', ')).to.include('GET').and.not.include('DELETE')
    expect(reply.json).to.deep.include({ error: 'method_not_allowed', code: 'method_not_allowed', status: 405 })
  })

  it('A16 a second known client is admitted, an unknown one is not', async () => {
    const two = await aPlace({ settings: { knownClientIds: ['difyctl', 'acme-cli'] } })
    try {
      const ask = (client_id: string) =>
        two.post(`${API}/oauth/device/code`, { json: { client_id, device_label: 'laptop' } })
      expect((await ask('acme-cli')).status).to.equal(200)
      expect((await ask('difyctl')).status).to.equal(200)
      expect((await ask('latchkey')).json).to.deep.include({ error: 'unsupported_client', status: 400 })
    } finally {
      await two.close()
    }
  })
})
