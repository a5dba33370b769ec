import { expect } from 'chai'
import { chatFile } from './app-files.ts'
import { API, aPlace, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'
import { catalogueSuite } from './suites/catalogue.ts'

catalogueSuite('memory', {})

describe('queries of the catalogue', () => {
  let place: Place
  let token: string
  let appId: string
  before(async () => {
    place = await aPlace({ settings: NO_BEARER_LIMIT })
    token = await mintOwn(place)
    appId = await place.addApp(chatFile('Helper'))
  })
  after(() => place.close())

  const BAD: readonly (readonly [field: string, value: string])[] = [
    ['workspace_id', ''],
    ['workspace_id', 'not-a-uuid'],
    ['page', '0'],
    ['page', '-1'],
    ['page', 'one'],
    ['page', ''],
    ['page', '1.0'],
    ['page', '99999999999999999999'],
    ['limit', '0'],
    ['limit', '201'],
    ['limit', 'all'],
    ['mode', 'chatty'],
    ['mode', ''],
    ['mode', 'CHAT'],
    ['name', 'n'.repeat(201)],
    ['tag', 't'.repeat(101)],
  ]
  for (const [field, value] of BAD) {
    it(`G10 ${field}=${value.slice(0, 12)} is a 422 that names ${field} and not the value`, async () => {
      const query = new URLSearchParams({ workspace_id: place.owner.workspaceId, [field]: value })
      const reply = await place.get(`${API}/apps?${query}`, { token })
      expect(reply.status).to.equal(422)
      expect(reply.json).to.deep.include({ error: 'unprocessable_entity', code: 'unprocessable_entity', status: 422 })
      expect(JSON.parse(reply.json.message)).to.deep.equal(reply.json.details)
      expect(reply.json.details).to.have.length(1)
      const [issue] = reply.json.details
      expect(issue).to.have.all.keys('type', 'loc', 'msg')
      expect(issue.loc).to.deep.equal([field])
      if (value.length > 5) expect(reply.text).to.not.contain(value)
    })
  }

  it('G10 a word outside the list is answered with the list as one would type it', async () => {
    const reply = await place.get(`${API}/apps?workspace_id=${place.owner.workspaceId}&mode=chatty`, { token })
    const modes = 'completion, workflow, chat, advanced-chat, agent-chat, channel, rag-pipeline'
    expect(reply.json.details[0].msg).to.equal(`must be one of ${modes}`)
  })

  it('G10 a workspace is required', async () => {
    const reply = await place.get(`${API}/apps`, { token })
    expect(reply.status).to.equal(422)
    expect(reply.json.details).to.deep.include.members([{ type: 'object', loc: ['workspace_id'], msg: 'is required' }])
  })

  it('G10 the edges are taken: limit 1 and 200, a name of 200, a tag of 100, every mode', async () => {
    const modes = ['completion', 'workflow', 'chat', 'advanced-chat', 'agent-chat', 'channel', 'rag-pipeline']
    const good: readonly Record<string, string>[] = [
      { limit: '1' },
      { limit: '200' },
      { name: 'n'.repeat(200) },
      { tag: 't'.repeat(100) },
      ...modes.map((mode) => ({ mode })),
    ]
    for (const one of good) {
      const query = new URLSearchParams({ workspace_id: place.owner.workspaceId, ...one })
      expect((await place.get(`${API}/apps?${query}`, { token })).status, JSON.stringify(one)).to.equal(200)
    }
  })

  it('G10 of a repeated parameter the first value counts', async () => {
    const query = `workspace_id=${place.owner.workspaceId}&limit=7&limit=nonsense`
    expect((await place.get(`${API}/apps?${query}`, { token })).json.limit).to.equal(7)
  })

  describe('describe', () => {
    const describeApp = (query: string, id = appId) => place.get(`${API}/apps/${id}/describe${query}`, { token })
    const ALL = ['info', 'parameters', 'input_schema']

    const FIELDS: readonly (readonly [query: string, wanted: readonly string[]])[] = [
      ['', ALL],
      ['?fields=', ALL],
      ['?fields=,', ALL],
      ['?fields=info', ['info']],
      ['?fields=parameters', ['parameters']],
      ['?fields=input_schema', ['input_schema']],
      ['?fields=info,input_schema', ['info', 'input_schema']],
      ['?fields=%20info%20,%20parameters%20', ['info', 'parameters']],
      ['?fields=info,info', ['info']],
    ]
    for (const [query, wanted] of FIELDS) {
      it(`G17 ${query || 'no fields'} gives ${wanted.join(', ')}; three keys always`, async () => {
        const { status, json } = await describeApp(query)
        expect(status).to.equal(200)
        expect(Object.keys(json)).to.have.members(ALL)
        expect(ALL.filter((key) => json[key] !== null)).to.deep.equal(wanted)
      })
    }

    const REFUSED: readonly (readonly [query: string, field: string])[] = [
      ['?fields=everything', 'fields'],
      ['?fields=info,everything', 'fields'],
      ['?fields=INFO', 'fields'],
      ['?field=info', 'field'],
      ['?fields=info&extra=1', 'extra'],
      ['?workspace_id=somewhere-else', 'workspace_id'],
      ['?workspace_id=00000000-0000-4000-8000-000000000000', 'workspace_id'],
    ]
    for (const [query, field] of REFUSED) {
      it(`G17 ${query} is a 422 that names ${field}`, async () => {
        const reply = await describeApp(query)
        expect(reply.status).to.equal(422)
        expect(JSON.parse(reply.json.message)).to.deep.equal(reply.json.details)
        expect(reply.json.details[0].loc[0]).to.equal(field)
      })
    }

    it('G17 the app’s own workspace may be named, or left empty', async () => {
      for (const id of [place.owner.workspaceId, place.owner.workspaceId.toUpperCase(), '']) {
        expect((await describeApp(`?workspace_id=${id}`)).status).to.equal(200)
      }
    })

    it('G17 info has exactly its fields, strings rather than null', async () => {
      const { json } = await describeApp('?fields=info')
      expect(json.info).to.deep.equal({
        id: appId,
        name: 'Helper',
        description: '',
        mode: 'chat',
        author: 'Olive Owner',
        tags: [],
        updated_at: new Date(place.clock.now()).toISOString(),
        service_api_enabled: true,
        is_agent: false,
      })
      const agent = await place.addApp(chatFile('Agent', 'agent-chat'))
      expect((await describeApp('?fields=info', agent)).json.info).to.deep.include({
        mode: 'agent-chat',
        is_agent: true,
      })
    })

    it('G18 an app without a usable definition has exactly the five fallback parameters', async () => {
      const bare = await place.addApp(chatFile('Bare'))
      await place.edit.removeDefinitions(bare)
      const { json } = await describeApp('', bare)
      expect(json.parameters).to.deep.equal({
        opening_statement: null,
        suggested_questions: [],
        user_input_form: [],
        file_upload: null,
        system_parameters: {},
      })
      expect(json.input_schema).to.deep.equal({
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        properties: {},
        required: [],
      })
    })
  })
})
