import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { anAccount, anApp, aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

/** What every AppCatalog promises. */
export function appCatalogContract(name: string, open: Open): void {
  describe(`AppCatalog contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    const aCatalogue = async (...names: string[]) => {
      const workspace = aWorkspace()
      await opened.seed.workspace(workspace)
      const apps = names.map((called, at) =>
        anApp({ workspaceId: workspace.id, name: called, createdAtMs: NOW_MS + at }),
      )
      await Promise.all(apps.map((app) => opened.stores.apps.add(app)))
      const search = async (query: object = {}) =>
        opened.stores.apps.search({ workspaceId: workspace.id, page: 1, limit: 20, ...query })
      return { workspace, apps, search }
    }

    it('shows an app with workspace, author and tags, newest change first', async () => {
      const { workspace, search } = await aCatalogue('first')
      const author = anAccount({ name: 'Grace' })
      await opened.stores.accounts.add(author, workspace.id, 'editor')
      const app = anApp({ workspaceId: workspace.id, name: 'second', createdBy: author.id, createdAtMs: NOW_MS + 1 })
      await opened.stores.apps.add(app)
      await opened.seed.tag(workspace.id, app.id, 'support')
      await opened.seed.tag(workspace.id, app.id, 'beta')
      const page = await search()
      expect(page.data.map(({ name: called }) => called)).to.deep.equal(['second', 'first'])
      expect(page.data[0]).to.deep.equal({
        id: app.id,
        workspaceId: workspace.id,
        workspaceName: 'Acme',
        workspaceStatus: 'normal',
        name: 'second',
        description: 'Answers questions',
        mode: 'chat',
        status: 'normal',
        apiEnabled: true,
        accessMode: null,
        tags: ['beta', 'support'],
        authorName: 'Grace',
        updatedAtMs: NOW_MS + 1,
      })
      expect(await opened.stores.apps.find(app.id)).to.deep.equal(page.data[0])
    })

    it('G10 a name matches anywhere, in any case, with percent, underscore and the escape taken literally', async () => {
      const { search } = await aCatalogue(
        '100% sure',
        '100 sure',
        'snake_case',
        'snakeXcase',
        'wow! yes',
        `it's \\ a "q?"`,
      )
      const found = async (called: string) => (await search({ name: called })).data.map((app) => app.name)
      expect(await found('0% S')).to.deep.equal(['100% sure'])
      expect(await found('E_c')).to.deep.equal(['snake_case'])
      expect(await found('W!')).to.deep.equal(['wow! yes'])
      expect(await found(`'s \\ a "q?`)).to.deep.equal([`it's \\ a "q?"`])
      expect(await found('%')).to.deep.equal(['100% sure'])
    })

    it('G11 an unknown tag is an empty page; a known one of another workspace too', async () => {
      const { apps, workspace, search } = await aCatalogue('one', 'two')
      const other = await aCatalogue('three')
      await opened.seed.tag(workspace.id, apps[0]?.id ?? '', 'mine')
      await opened.seed.tag(other.workspace.id, other.apps[0]?.id ?? '', 'theirs')
      expect((await search({ tag: 'mine' })).data.map((app) => app.name)).to.deep.equal(['one'])
      expect(await search({ tag: 'theirs' })).to.include({ total: 0, hasMore: false })
      expect((await search({ tag: 'nobody' })).data).to.deep.equal([])
    })

    it('G12 filters and total agree; only apps that can be run are listed', async () => {
      const { apps, workspace, search } = await aCatalogue('a', 'b', 'c')
      await opened.stores.apps.add(anApp({ workspaceId: workspace.id, mode: 'workflow' }))
      await opened.seed.alterApp(apps[0]?.id ?? '', { status: 'normal', apiEnabled: false })
      await opened.seed.alterApp(apps[1]?.id ?? '', { status: 'archived', apiEnabled: true })
      expect((await search()).total).to.equal(2)
      const chats = await search({ mode: 'chat' })
      expect(chats.total).to.equal(1)
      expect(chats.data.map((app) => app.name)).to.deep.equal(['c'])
      expect((await opened.stores.apps.find(apps[0]?.id ?? ''))?.apiEnabled).to.equal(false)
    })

    it('G13 a UUID as name finds by id, in its own workspace only', async () => {
      const { apps, search } = await aCatalogue('one', 'two')
      const other = await aCatalogue('three')
      expect((await search({ name: apps[1]?.id.toUpperCase() })).data.map((app) => app.name)).to.deep.equal(['two'])
      expect((await search({ name: other.apps[0]?.id })).total).to.equal(0)
    })

    it('G14 pages neither overlap nor miss any while rows are added and all changed at once', async () => {
      const { workspace, search } = await aCatalogue()
      const made = Array.from({ length: 6 }, () => anApp({ workspaceId: workspace.id }))
      await Promise.all(made.map((app) => opened.stores.apps.add(app)))
      const first = await search({ limit: 3 })
      await opened.stores.apps.add(anApp({ workspaceId: workspace.id, createdAtMs: NOW_MS - 1 }))
      const second = await search({ limit: 3, page: 2 })
      const ids = [...first.data, ...second.data].map(({ id }) => id)
      expect(ids).to.deep.equal(made.map(({ id }) => id).toSorted())
      expect([first.hasMore, second.hasMore]).to.deep.equal([true, true])
      expect(await search({ limit: 3, page: 9 })).to.deep.include({ total: 7, hasMore: false, data: [] })
    })

    it('keeps a definition as it came, and gives the newest published one unless asked for another', async () => {
      const { workspace } = await aCatalogue()
      const graph = {
        graph: { nodes: [{ id: "n'1?", data: { x: 1.5, y: null, text: 'nul \u0000 and \\u0000' } }], edges: [] },
      }
      const app = anApp({ workspaceId: workspace.id, mode: 'workflow' })
      const definition = { ...app.definition, workflow: graph, modelConfig: null }
      await opened.stores.apps.add({ ...app, definition })
      const found = await opened.stores.apps.definition(app.id)
      expect(found).to.include({ id: definition.id, appId: app.id, kind: 'published', dslVersion: '0.3.0' })
      expect(found?.modelConfig).to.equal(null)
      expect(JSON.stringify(found?.workflow)).to.contain("n'1?").and.contain('\\\\u0000')
      expect(await opened.stores.apps.definition(app.id, definition.id)).to.deep.equal(found)
      expect(await opened.stores.apps.definition(app.id, randomUUID())).to.equal(null)
      expect(await opened.stores.apps.definition(randomUUID(), definition.id)).to.equal(null)
      expect(await opened.stores.apps.definition('nope')).to.equal(null)
    })

    it('gives the file of the published definition, or of the version asked for, and of no other app', async () => {
      const { workspace } = await aCatalogue()
      const source = 'app: {name: "ü \\u0000"}\r\n# as it came\n'
      const app = anApp({ workspaceId: workspace.id, source })
      const other = anApp({
        workspaceId: workspace.id,
        definition: { ...app.definition, id: randomUUID(), kind: 'draft' },
      })
      const { apps } = opened.stores
      await apps.add(app)
      await apps.add(other)
      expect(await apps.source(app.id)).to.equal(source)
      expect(await apps.source(app.id, app.definition.id)).to.equal(source)
      expect(await apps.source(app.id, other.definition.id)).to.equal(null)
      expect(await apps.source(other.id)).to.equal(null)
      expect(await apps.source(other.id, other.definition.id)).to.equal(other.source)
      for (const strange of ['nope', randomUUID()]) expect(await apps.source(strange)).to.equal(null)
      expect(await apps.source(app.id, 'nope')).to.equal(null)
    })

    it('never runs a draft unasked', async () => {
      const { workspace } = await aCatalogue()
      const app = anApp({ workspaceId: workspace.id })
      const definition = { ...app.definition, kind: 'draft' as const }
      await opened.stores.apps.add({ ...app, definition })
      expect(await opened.stores.apps.definition(app.id)).to.equal(null)
      expect((await opened.stores.apps.definition(app.id, definition.id))?.kind).to.equal('draft')
    })

    it('N01 a new version is what runs from then on, and the one before can still be had', async () => {
      const { apps: stored } = opened.stores
      const { apps } = await aCatalogue('first')
      const [app = anApp({ workspaceId: randomUUID() })] = apps
      const definition = { ...app.definition, id: randomUUID(), dslVersion: '0.6.0' }
      const version = { ...app, name: 'second', source: 'kind: app # 2\n', definition, createdAtMs: NOW_MS + 5 }
      expect(await stored.addVersion(version)).to.equal(true)
      expect(await stored.find(app.id)).to.include({ name: 'second', updatedAtMs: NOW_MS + 5 })
      expect((await stored.definition(app.id))?.id).to.equal(definition.id)
      expect(await stored.source(app.id)).to.equal('kind: app # 2\n')
      expect(await stored.source(app.id, app.definition.id)).to.equal('kind: app\n')
      const unknown = { ...version, id: randomUUID(), definition: { ...definition, id: randomUUID() } }
      expect(await stored.addVersion(unknown)).to.equal(false)
      expect(await stored.definition(unknown.id)).to.equal(null)
    })

    it('N06 an app with its API off is found only by those who ask for it', async () => {
      const { apps, search } = await aCatalogue('only')
      const id = apps[0]?.id ?? ''
      expect(await opened.stores.apps.setApi(id, false, NOW_MS + 9)).to.equal(true)
      expect((await search()).total).to.equal(0)
      expect((await search({ apiOff: true })).data[0]).to.include({ id, apiEnabled: false, updatedAtMs: NOW_MS + 9 })
      for (const unknown of [randomUUID(), 'junk']) {
        expect(await opened.stores.apps.setApi(unknown, true, NOW_MS)).to.equal(false)
      }
    })

    it('N06 publishing puts the latest draft in force, and twice is once', async () => {
      const { apps: stored } = opened.stores
      const { apps } = await aCatalogue('draft')
      const [app = anApp({ workspaceId: randomUUID() })] = apps
      const published = NOW_MS
      expect(await stored.publish(app.id, randomUUID(), NOW_MS + 3)).to.equal(published)
      const draft = { ...app.definition, id: randomUUID(), kind: 'draft' as const, modelConfig: { pre_prompt: 'New' } }
      await stored.addVersion({ ...app, definition: draft, createdAtMs: NOW_MS + 5 })
      expect((await stored.definition(app.id))?.id).to.equal(app.definition.id)
      const ids = Array.from({ length: 5 }, () => randomUUID())
      const atMs = await Promise.all(ids.map((id) => stored.publish(app.id, id, NOW_MS + 7)))
      expect(new Set(atMs)).to.deep.equal(new Set([NOW_MS + 7]))
      const inForce = await stored.definition(app.id)
      expect(ids).to.include(inForce?.id)
      expect(inForce).to.deep.include({ kind: 'published', modelConfig: { pre_prompt: 'New' } })
      for (const unknown of [randomUUID(), 'junk']) {
        expect(await stored.publish(unknown, randomUUID(), NOW_MS)).to.equal(null)
      }
    })
  })
}
