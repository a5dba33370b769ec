import { expect } from 'chai'
import { chatFile, graphChatFile, workflowFile } from './app-files.ts'
import { said } from './flow.ts'
import { API, aColleague, aPlace, mintExternal, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'

const PLUGIN = 'langgenius/anthropic:0.2.5@3a6c'
const SECRET = 'sk-very-secret'

/** A graph whose model comes from a plugin, which the file names, with a secret of its own. */
const withPlugins =
  graphChatFile('Plugins').replace('provider: openai', 'provider: langgenius/anthropic/anthropic') +
  `  environment_variables:
  - {id: a, name: KEY, value: ${SECRET}, value_type: secret}
dependencies:
- {type: marketplace, value: {marketplace_plugin_unique_identifier: "${PLUGIN}"}, current_identifier: null}
- {type: marketplace, value: {marketplace_plugin_unique_identifier: "langgenius/tavily:0.1.0@77"}}
- no mapping
`

describe('apps as files', () => {
  let place: Place
  let token: string
  beforeEach(async () => {
    place = await aPlace({ settings: NO_BEARER_LIMIT })
    token = await mintOwn(place)
  })
  afterEach(() => place.close())

  const exported = (appId: string, query = '') => place.get(`${API}/apps/${appId}/export${query}`, { token })
  const dependencies = (appId: string) => place.get(`${API}/apps/${appId}/check-dependencies`, { token })

  for (const [mode, file] of [
    ['chat', chatFile('One: "two" 🤖')],
    ['completion', chatFile('Text', 'completion')],
    ['agent-chat', chatFile('Agent', 'agent-chat')],
    ['workflow', workflowFile()],
    ['advanced-chat', withPlugins],
  ] as const) {
    it(`N02 export, import, export of a ${mode} app is the same file`, async () => {
      const first = await exported(await place.addApp(file), '?include_secret=true')
      expect(first.status).to.equal(200)
      const json = { mode: 'yaml-content', yaml_content: first.json.data }
      const imported = await place.post(`${API}/workspaces/${place.owner.workspaceId}/apps/imports`, { token, json })
      const second = await exported(imported.json.app_id, '?include_secret=true')
      expect(second.json.data).to.equal(first.json.data)
    })
  }

  it('N02 secrets stay unless they are asked for', async () => {
    const appId = await place.addApp(withPlugins)
    for (const query of ['', '?include_secret=false', '?include_secret=0']) {
      expect((await exported(appId, query)).text, query).to.not.contain(SECRET)
    }
    for (const query of ['?include_secret=true', '?include_secret=1']) {
      expect((await exported(appId, query)).text, query).to.contain(SECRET)
    }
    const odd = await exported(appId, '?include_secret=yes')
    expect([odd.status, odd.json.details[0].loc]).to.deep.equal([422, ['include_secret']])
  })

  it('N01 a version is exported by its id; one that is none, or another app’s, is not there', async () => {
    const appId = await place.addApp(chatFile())
    const published = (await place.ports.apps.definition(appId))?.id ?? ''
    expect((await exported(appId, `?workflow_id=${published.toUpperCase()}`)).status).to.equal(200)
    const other = (await place.ports.apps.definition(await place.addApp(chatFile('Other'))))?.id ?? ''
    for (const id of [other, place.ports.newId()]) {
      const { status, json } = await exported(appId, `?workflow_id=${id}`)
      expect([status, json.message]).to.deep.equal([404, 'workflow not found'])
    }
    expect((await exported(appId, '?workflow_id=junk')).json.details[0].loc).to.deep.equal(['workflow_id'])
  })

  it('N01 an app that is off or unpublished is exported to its editors or not at all', async () => {
    const appId = await place.addApp(chatFile())
    await place.edit.setApp(appId, { apiEnabled: false })
    expect((await exported(appId)).status).to.equal(200)
    await place.edit.removeDefinitions(appId)
    expect((await exported(appId)).status).to.equal(404)
    expect((await dependencies(appId)).json).to.deep.equal({ leaked_dependencies: [] })
  })

  it('N01 who is refused, and how', async () => {
    const appId = await place.addApp(chatFile())
    const external = await mintExternal(place)
    const stranger = await aColleague(place, 'editor')
    await place.ports.memberships.remove(stranger.accountId, place.owner.workspaceId)
    for (const path of ['export', 'check-dependencies']) {
      const ask = (id: string, how: { token?: string } = { token }) => place.get(`${API}/apps/${id}/${path}`, how)
      expect(said(await ask(appId, { token: external })), path).to.equal('403 wrong_subject_type')
      expect(said(await ask(appId, { token: stranger.token })), path).to.equal('403 workspace_membership_revoked')
      expect(said(await ask(appId, {})), path).to.equal('401 bearer_required')
      const unknown = await ask(place.ports.newId())
      expect([unknown.status, unknown.json.message]).to.deep.equal([404, 'app not found'])
      for (const junk of ['junk', '%2525', 'a%00']) expect((await ask(junk)).text, path).to.equal(unknown.text)
      await place.edit.setWorkspaceStatus(place.owner.workspaceId, 'archive')
      expect((await ask(appId)).json.message, path).to.equal('workspace unavailable')
      await place.edit.setWorkspaceStatus(place.owner.workspaceId, 'normal')
    }
  })

  it('N01 a plugin that a part of the app needs which cannot run is missing; others are not', async () => {
    await place.close()
    place = await aPlace({ settings: NO_BEARER_LIMIT, model: null })
    token = await mintOwn(place)
    const appId = await place.addApp(withPlugins)
    expect((await dependencies(appId)).json).to.deep.equal({
      leaked_dependencies: [
        { type: 'marketplace', value: { marketplace_plugin_unique_identifier: PLUGIN }, current_identifier: null },
      ],
    })
    expect((await dependencies(await place.addApp(chatFile()))).json).to.deep.equal({ leaked_dependencies: [] })
  })

  it('N01 nothing is missing of an app that can run', async () => {
    const { status, json } = await dependencies(await place.addApp(withPlugins))
    expect([status, json]).to.deep.equal([200, { leaked_dependencies: [] }])
  })
})
