import { expect } from 'chai'
import { createClient } from 'latchkey/client'
import { chatFile } from './app-files.ts'
import { aPlace, type Place } from './place.ts'

describe('latchkey/client at a server', () => {
  let place: Place
  before(async () => {
    place = await aPlace()
  })
  after(() => place.close())

  it('A14 signs in, lists, describes, runs both ways and revokes', async () => {
    const appId = await place.addApp(chatFile())
    const stranger = createClient({ baseUrl: place.url })
    const flow = await stranger.POST('/oauth/device/code', { body: { client_id: 'latchkey', device_label: 'script' } })
    if (flow.status !== 200) throw new Error(flow.data.message)
    const poll = { client_id: 'latchkey', device_code: flow.data.device_code }
    const waiting = await stranger.POST('/oauth/device/token', { body: poll })
    expect([waiting.status, waiting.data]).to.deep.include.members([400])
    const { headers } = await place.signIn()
    await place.post('/openapi/v1/oauth/device/approve', { json: { user_code: flow.data.user_code }, headers })
    const granted = await stranger.POST('/oauth/device/token', { body: poll })
    if (granted.status !== 200) throw new Error(granted.data.error)

    const api = createClient({ baseUrl: place.url, token: granted.data.token })
    const workspaceId = granted.data.default_workspace_id ?? ''
    const listed = await api.GET('/apps', { query: { workspace_id: workspaceId, limit: 5 } })
    expect(listed.status === 200 && listed.data.data.map(({ id }) => id)).to.deep.equal([appId])
    const described = await api.GET('/apps/{id}/describe', { path: { id: appId }, query: { fields: 'info' } })
    expect(described.status === 200 && described.data.info?.mode).to.equal('chat')

    const run = { path: { id: appId }, body: { inputs: {}, query: 'hello' } }
    const blocking = await api.POST('/apps/{id}/run', run)
    if (blocking.status !== 200 || !('answer' in blocking.data)) throw new Error('no answer')
    const started = await api.stream('/apps/{id}/run', run)
    if (started.status !== 200) throw new Error(started.data.message)
    let answer = ''
    let last = ''
    for await (const event of started.events) {
      if (event.event === 'message') answer += event.answer
      last = event.event
    }
    expect([answer, last]).to.deep.equal([blocking.data.answer, 'message_end'])

    expect((await api.DELETE('/account/sessions/self')).status).to.equal(200)
    const gone = await api.GET('/account')
    expect(gone.status === 401 && gone.data.error).to.equal('invalid_bearer')
    expect(gone.headers.get('www-authenticate')).to.contain('invalid_token')
  })

  it('tells a refusal from an answer before a stream begins', async () => {
    const api = createClient({ baseUrl: place.url, token: 'nonsense' })
    const refused = await api.stream('/apps/{id}/run', { path: { id: place.owner.accountId }, body: { inputs: {} } })
    expect([refused.status, 'events' in refused]).to.deep.equal([401, false])
  })
})
