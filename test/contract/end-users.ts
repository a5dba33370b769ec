import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { anApp, aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

/** What every EndUsers promises. */
export function endUsersContract(name: string, open: Open): void {
  describe(`EndUsers contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    it('D12 twenty concurrent first calls of one person make one end user', async () => {
      const workspace = aWorkspace()
      await opened.seed.workspace(workspace)
      const [app, second] = [anApp({ workspaceId: workspace.id }), anApp({ workspaceId: workspace.id })]
      for (const one of [app, second]) await opened.stores.apps.add(one)
      const person = { workspaceId: workspace.id, issuer: 'https://idp.example', email: 'eve@company.example' }
      const call = (appId: string, overrides = {}) =>
        opened.stores.endUsers.getOrCreate({ ...person, appId, id: randomUUID(), ...overrides }, NOW_MS)
      const ids = await Promise.all(Array.from({ length: 20 }, () => call(app.id)))
      expect(new Set(ids).size).to.equal(1)
      expect(await call(app.id)).to.equal(ids[0])
      // The same email elsewhere is somebody else.
      const others = await Promise.all([
        call(second.id),
        call(app.id, { issuer: 'https://other.example' }),
        call(app.id, { email: 'eva@company.example' }),
      ])
      expect(new Set([...ids, ...others]).size).to.equal(4)
    })
  })
}
