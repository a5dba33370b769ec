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
  })
}
