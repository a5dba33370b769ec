import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { AccessGrant } from '#domain/app-access.ts'
import { anApp, aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

/** What every AppAccessStore promises. */
export function appAccessContract(name: string, open: Open): void {
  describe(`AppAccessStore contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    async function someApps(...names: string[]) {
      const workspace = aWorkspace()
      await opened.seed.workspace(workspace)
      const apps = names.map((called) => anApp({ workspaceId: workspace.id, name: called }))
      for (const app of apps) await opened.stores.apps.add(app)
      return apps.map(({ id }) => id)
    }
    const eve: AccessGrant = { type: 'email', value: `${randomUUID()}@company.example` }
    const group: AccessGrant = { type: 'group', value: randomUUID() }

    it('a mode is kept with the app; of an unknown app nothing is', async () => {
      const [id = ''] = await someApps('a')
      expect(await opened.stores.appAccess.setMode(id, 'private')).to.equal(true)
      expect((await opened.stores.apps.find(id))?.accessMode).to.equal('private')
      expect(await opened.stores.appAccess.setMode(randomUUID(), 'public')).to.equal(false)
    })

    it('grants are kept once, listed in order, and withdrawn one by one', async () => {
      const { appAccess } = opened.stores
      const [id = ''] = await someApps('a')
      await appAccess.grant(id, [group, eve], null, NOW_MS)
      await appAccess.grant(id, [eve], null, NOW_MS)
      expect(await appAccess.grants(id)).to.deep.equal([eve, group])
      expect(await appAccess.holdsAny(id, [{ type: 'domain', value: eve.value }, group])).to.equal(true)
      await appAccess.withdraw(id, [group, { type: 'email', value: group.value }])
      expect(await appAccess.grants(id)).to.deep.equal([eve])
      expect(await appAccess.holdsAny(id, [group])).to.equal(false)
      expect(await appAccess.holdsAny(id, [])).to.equal(false)
    })

    it('open apps are public, verified, or private with a grant; pages are stable and total is whole', async () => {
      const { appAccess } = opened.stores
      const mark = randomUUID().slice(0, 8)
      const [open1 = '', verified = '', granted = '', closed = '', members = '', off = ''] = await someApps(
        `${mark} a`,
        `${mark} b`,
        `${mark} c`,
        `${mark} d`,
        `${mark} e`,
        `${mark} f`,
      )
      await appAccess.setMode(open1, 'public')
      await appAccess.setMode(verified, 'sso_verified')
      await appAccess.setMode(granted, 'private')
      await appAccess.setMode(closed, 'private')
      await appAccess.setMode(members, 'private_all')
      await appAccess.setMode(off, 'public')
      await opened.seed.alterApp(off, { status: 'normal', apiEnabled: false })
      await appAccess.grant(granted, [group], null, NOW_MS)
      const page = (number: number, limit: number) => appAccess.open([eve, group], { page: number, limit, name: mark })
      expect(await page(1, 10)).to.deep.equal({ ids: [open1, verified, granted], total: 3 })
      expect(await page(2, 2)).to.deep.equal({ ids: [granted], total: 3 })
      expect((await appAccess.open([eve], { page: 1, limit: 10, name: mark })).total).to.equal(2)
      expect((await appAccess.open([eve], { page: 1, limit: 10, name: mark, mode: 'workflow' })).total).to.equal(0)
      expect((await appAccess.open([], { page: 1, limit: 10, name: '%' })).total).to.equal(0)
    })

    it('the total without a name follows modes, grants and what can be run; closed workspaces are left out', async () => {
      const { appAccess } = opened.stores
      const total = async (mode?: 'chat' | 'workflow') =>
        (await appAccess.open([group], { page: 1, limit: 1, mode })).total
      const before = await total()
      const [one = '', two = '', three = ''] = await someApps('a', 'b', 'c')
      const closed = aWorkspace()
      await opened.seed.workspace(closed, 'archive')
      const hidden = anApp({ workspaceId: closed.id })
      await opened.stores.apps.add(hidden)
      for (const id of [one, hidden.id]) await appAccess.setMode(id, 'public')
      for (const id of [two, three]) await appAccess.setMode(id, 'private')
      await appAccess.grant(two, [group, eve], null, NOW_MS)
      await appAccess.grant(hidden.id, [group], null, NOW_MS)
      expect([await total(), await total('chat'), await total('workflow')]).to.deep.equal([before + 2, before + 2, 0])
      await appAccess.setMode(one, 'private_all')
      await opened.seed.alterApp(two, { status: 'normal', apiEnabled: false })
      expect(await total()).to.equal(before)
    })

    it('a page beyond the end is empty, and knows the total', async () => {
      const [id = ''] = await someApps('z')
      await opened.stores.appAccess.setMode(id, 'public')
      const { ids, total } = await opened.stores.appAccess.open([], { page: 1_000, limit: 200 })
      expect(ids).to.deep.equal([])
      expect(total).to.be.greaterThan(0)
    })
  })
}
