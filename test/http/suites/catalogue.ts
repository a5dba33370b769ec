import { expect } from 'chai'
import type { WorldOptions } from '../../support/world.ts'
import { chatFile, workflowFile } from '../app-files.ts'
import { API, aPlace, mintOwn, NO_BEARER_LIMIT, type Place } from '../place.ts'

type Row = { readonly id: string; readonly name: string }

/** `GET /apps`: what is found, in what order, on whatever stores `options` name. */
export function catalogueSuite(name: string, options: WorldOptions): void {
  describe(`the catalogue: ${name}`, () => {
    let place: Place
    let token: string

    beforeEach(async () => {
      place = await aPlace({ settings: NO_BEARER_LIMIT, ...options })
      token = await mintOwn(place)
    })
    afterEach(() => place.close())

    const list = (query: Record<string, string> = {}) => {
      const search = new URLSearchParams({ workspace_id: place.owner.workspaceId, ...query })
      return place.get(`${API}/apps?${search}`, { token })
    }
    const found = async (query: Record<string, string>): Promise<string[]> => {
      const { json } = await list(query)
      expect(json.total).to.equal(json.data.length)
      return json.data.map((row: Row) => row.name)
    }
    /** Adds apps one second apart, so that the last is the newest. */
    async function add(...names: string[]): Promise<string[]> {
      const ids = []
      for (const one of names) {
        place.clock.advance(1000)
        ids.push(await place.addApp(chatFile(one)))
      }
      return ids
    }

    it('G10 pages are 1 and 20 unless told; a row has exactly its fields', async () => {
      const [id] = await add('Only')
      await place.edit.setApp(id ?? '', { tag: 'support' })
      const { json } = await list({ unknown: 'ignored' })
      expect(json).to.deep.equal({
        page: 1,
        limit: 20,
        total: 1,
        has_more: false,
        data: [
          {
            id,
            name: 'Only',
            description: '',
            mode: 'chat',
            tags: [{ name: 'support' }],
            updated_at: new Date(place.clock.now()).toISOString(),
            created_by_name: 'Olive Owner',
            workspace_id: place.owner.workspaceId,
            workspace_name: "Olive Owner's Workspace",
          },
        ],
      })
    })

    it('G10 % and _ and \\ in a name mean themselves, and case does not matter', async () => {
      await add('100% sure', '100 sure', 'snake_case', 'snakeXcase', 'back\\slash')
      expect(await found({ name: '0%' })).to.deep.equal(['100% sure'])
      expect(await found({ name: 'e_c' })).to.deep.equal(['snake_case'])
      expect(await found({ name: 'k\\s' })).to.deep.equal(['back\\slash'])
      expect(await found({ name: 'SNAKE' })).to.deep.equal(['snakeXcase', 'snake_case'])
      expect(await found({ name: '%' })).to.deep.equal(['100% sure'])
      expect(await found({ name: '' })).to.have.length(5)
    })

    it('G11 an unknown tag is an empty page, not an error', async () => {
      await add('One')
      const { status, json } = await list({ tag: 'nowhere' })
      expect(status).to.equal(200)
      expect(json).to.deep.equal({ page: 1, limit: 20, total: 0, has_more: false, data: [] })
    })

    it('G12 filters and the total agree, alone and together', async () => {
      const [alpha, beta] = await add('Alpha', 'Beta', 'Alphabet')
      place.clock.advance(1000)
      const flow = await place.addApp(workflowFile('Alpha flow'))
      for (const id of [alpha, beta, flow]) await place.edit.setApp(id ?? '', { tag: 'mine' })
      expect(await found({ mode: 'workflow' })).to.deep.equal(['Alpha flow'])
      expect(await found({ mode: 'agent-chat' })).to.deep.equal([])
      expect(await found({ tag: 'mine' })).to.deep.equal(['Alpha flow', 'Beta', 'Alpha'])
      expect(await found({ tag: 'mine', name: 'alpha' })).to.deep.equal(['Alpha flow', 'Alpha'])
      expect(await found({ tag: 'mine', name: 'alpha', mode: 'chat' })).to.deep.equal(['Alpha'])
    })

    it('lists only normal apps whose API is on, of this workspace', async () => {
      const [off, deleted] = await add('Off', 'Deleted', 'On')
      await place.edit.setApp(off ?? '', { apiEnabled: false })
      await place.edit.setApp(deleted ?? '', { status: 'deleted' })
      const { accountId } = place.owner
      const workspaceId = await place.edit.addWorkspace({ name: 'Second', accountId, createdAtMs: place.clock.now() })
      await place.addApp(chatFile('Elsewhere'), { workspaceId })
      expect(await found({})).to.deep.equal(['On'])
    })

    it('G13 a UUID as a name finds the app with that id', async () => {
      const [first] = await add('First', 'Second')
      expect(await found({ name: first ?? '' })).to.deep.equal(['First'])
      expect(await found({ name: (first ?? '').toUpperCase() })).to.deep.equal(['First'])
      expect(await found({ name: place.ports.newId() })).to.deep.equal([])
    })

    it('G08 G14 pages do not overlap while apps of the same moment are added, and the last one says so', async () => {
      const ids = []
      for (let app = 0; app < 5; app++) ids.push(await place.addApp(chatFile(`Same ${app}`)))
      const page = async (number: number) => (await list({ page: String(number), limit: '2' })).json
      const first = await page(1)
      expect([first.total, first.has_more]).to.deep.equal([5, true])
      const again = await page(1)
      expect(again).to.deep.equal(first)
      const [second, third] = [await page(2), await page(3)]
      expect([second.has_more, third.has_more, third.data.length]).to.deep.equal([true, false, 1])
      const seen = [first, second, third].flatMap(({ data }) => data.map(({ id }: Row) => id))
      expect(seen).to.have.members(ids)

      // A newer app goes to the front: rows move back by one, and none is lost.
      place.clock.advance(1000)
      const newest = await place.addApp(chatFile('Newest'))
      const moved = []
      for (const number of [1, 2, 3]) moved.push(...(await page(number)).data.map(({ id }: Row) => id))
      expect(moved).to.deep.equal([newest, ...seen])
      expect((await page(9)).data).to.deep.equal([])
    })
  })
}
