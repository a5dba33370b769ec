import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { anAccount, anApp, aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

/** What every TagStore promises. */
export function tagStoreContract(name: string, open: Open): void {
  describe(`TagStore contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    const aPlace = async () => {
      const workspace = aWorkspace()
      const account = anAccount()
      await opened.seed.workspace(workspace)
      await opened.stores.accounts.add(account, workspace.id, 'owner')
      const app = anApp({ workspaceId: workspace.id })
      await opened.stores.apps.add(app)
      const by = { accountId: account.id, atMs: NOW_MS }
      const put = (called: string) =>
        opened.stores.tags.put({
          id: randomUUID(),
          workspaceId: workspace.id,
          name: called,
          createdBy: account.id,
          createdAtMs: NOW_MS,
        })
      return { workspaceId: workspace.id, appId: app.id, by, put }
    }

    it('N06 ten of one name at once are one tag', async () => {
      const { workspaceId, put } = await aPlace()
      const tags = await Promise.all(Array.from({ length: 10 }, () => put('beta')))
      expect(new Set(tags.map(({ id }) => id)).size).to.equal(1)
      expect(await opened.stores.tags.list(workspaceId)).to.deep.equal([tags[0]])
    })

    it('N06 lists by name, and finds any part of one in any case, taken literally', async () => {
      const { workspaceId, put } = await aPlace()
      for (const called of ['b_a', 'Alpha', 'bxa', "q?'s"]) await put(called)
      const names = async (keyword?: string) =>
        (await opened.stores.tags.list(workspaceId, keyword)).map((tag) => tag.name)
      expect(await names()).to.deep.equal(['Alpha', 'b_a', 'bxa', "q?'s"])
      expect(await names('B_')).to.deep.equal(['b_a'])
      expect(await names("?'")).to.deep.equal(["q?'s"])
      expect(await opened.stores.tags.list('junk')).to.deep.equal([])
    })

    it('N06 an app bears what was bound to it, once; and is found by it', async () => {
      const { workspaceId, appId, by, put } = await aPlace()
      const [one, two] = [await put('one'), await put('two')]
      for (let round = 0; round < 2; round++) {
        expect(await opened.stores.tags.bind(workspaceId, appId, [one.id, two.id], by)).to.equal(true)
      }
      expect((await opened.stores.apps.find(appId))?.tags).to.deep.equal(['one', 'two'])
      expect(await opened.stores.tags.list(workspaceId, 'one')).to.deep.equal([{ ...one, bindings: 1 }])
      const found = await opened.stores.apps.search({ workspaceId, page: 1, limit: 5, tag: 'two' })
      expect(found.data.map(({ id }) => id)).to.deep.equal([appId])
    })

    it('N06 with one tag of another workspace, or an app of another, nothing is bound', async () => {
      const [here, there] = [await aPlace(), await aPlace()]
      const [own, foreign] = [await here.put('own'), await there.put('foreign')]
      const { bind } = opened.stores.tags
      for (const tagIds of [[own.id, foreign.id], [own.id, randomUUID()], ['junk']]) {
        expect(await bind(here.workspaceId, here.appId, tagIds, here.by)).to.equal(false)
      }
      expect(await bind(here.workspaceId, there.appId, [own.id], here.by)).to.equal(false)
      expect((await opened.stores.apps.find(here.appId))?.tags).to.deep.equal([])
    })
  })
}
