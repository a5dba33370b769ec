import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { anAccount, aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

/** What every AccountDirectory and MembershipDirectory promise. */
export function accountDirectoryContract(name: string, open: Open): void {
  describe(`AccountDirectory contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    const aMember = async () => {
      const account = anAccount()
      const workspace = aWorkspace()
      await opened.seed.workspace(workspace)
      await opened.stores.accounts.add(account, workspace.id, 'editor')
      return { account, workspace }
    }

    it('M01 of twenty concurrent set-ups one wins, and the others leave nothing behind', async () => {
      const { accounts, memberships } = opened.stores
      expect(await accounts.owner()).to.equal(null)
      const people = Array.from({ length: 20 }, () => ({ account: anAccount(), workspace: aWorkspace() }))
      const won = await Promise.all(people.map(({ account, workspace }) => accounts.setUp(account, workspace)))
      expect(won.filter(Boolean)).to.have.length(1)
      const owner = await accounts.owner()
      expect(owner?.id).to.equal(people[won.indexOf(true)]?.account.id)
      const stored = await Promise.all(people.map(({ account }) => accounts.find(account.id)))
      expect(stored.filter((account) => account !== null)).to.deep.equal([owner])
      const [membership] = await memberships.list(owner?.id ?? '')
      expect(membership).to.include({ role: 'owner', current: true, status: 'normal' })
      expect(await accounts.setUp(anAccount(), aWorkspace())).to.equal(false)
    })

    it('an email is one person, however it is written; of ten concurrent additions one wins', async () => {
      const { accounts } = opened.stores
      const { workspace } = await aMember()
      const mark = randomUUID()
      const spellings = Array.from({ length: 10 }, (_, at) =>
        at % 2 === 0 ? `Bo.${mark}@X.example` : ` bo.${mark}@x.example `,
      )
      const added = await Promise.all(
        spellings.map((email) => accounts.add(anAccount({ email }), workspace.id, 'normal')),
      )
      expect(added.filter(Boolean)).to.have.length(1)
      const found = await accounts.findByEmail(`BO.${mark}@x.example`)
      expect(found).to.include({ email: `bo.${mark}@x.example`, passwordHash: '$scrypt$test' })
    })

    it('knows a person by id without the password, and nobody by an unknown or malformed id', async () => {
      const { accounts } = opened.stores
      const { account } = await aMember()
      const { id, email, name: called, status } = account
      expect(await accounts.find(id)).to.deep.equal({ id, email, name: called, status })
      expect(await accounts.find(randomUUID())).to.equal(null)
      expect(await accounts.find('not-a-uuid')).to.equal(null)
      expect(await accounts.findByEmail("' or 1=1 --")).to.equal(null)
    })

    it('G09 lists workspaces oldest first, archived ones included', async () => {
      const { memberships } = opened.stores
      const { account, workspace } = await aMember()
      const older = aWorkspace({ createdAtMs: NOW_MS - 5 })
      await opened.seed.workspace(older, 'archive')
      await opened.seed.member(account.id, older.id, 'normal')
      const listed = await memberships.list(account.id)
      expect(listed).to.deep.equal([
        {
          workspaceId: older.id,
          name: 'Acme',
          status: 'archive',
          role: 'normal',
          current: false,
          createdAtMs: NOW_MS - 5,
        },
        {
          workspaceId: workspace.id,
          name: 'Acme',
          status: 'normal',
          role: 'editor',
          current: false,
          createdAtMs: NOW_MS,
        },
      ])
    })

    it('G09 a workspace one is not in cannot be found, worked in or left', async () => {
      const { memberships } = opened.stores
      const { account } = await aMember()
      const { workspace: foreign } = await aMember()
      for (const id of [foreign.id, randomUUID(), 'not-a-uuid']) {
        expect(await memberships.find(account.id, id)).to.equal(null)
        expect(await memberships.setCurrent(account.id, id)).to.equal(false)
        expect(await memberships.remove(account.id, id)).to.equal(false)
      }
    })

    it('a person works in one workspace at a time, also when two switches race', async () => {
      const { memberships } = opened.stores
      const { account, workspace } = await aMember()
      const other = aWorkspace()
      await opened.seed.workspace(other)
      await opened.seed.member(account.id, other.id, 'normal')
      const targets = Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? workspace.id : other.id))
      await Promise.all(targets.map((id) => memberships.setCurrent(account.id, id)))
      expect((await memberships.list(account.id)).filter(({ current }) => current)).to.have.length(1)
    })

    it('C11 leaving a workspace succeeds once and shows at the next look', async () => {
      const { memberships } = opened.stores
      const { account, workspace } = await aMember()
      const left = await Promise.all(Array.from({ length: 5 }, () => memberships.remove(account.id, workspace.id)))
      expect(left.filter(Boolean)).to.have.length(1)
      expect(await memberships.find(account.id, workspace.id)).to.equal(null)
    })
  })
}
