import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { judgeMemberChange, type MemberChange } from '#domain/member-rules.ts'
import { anAccount, aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

/** What every WorkspaceMembers promises. */
export function workspaceMembersContract(name: string, open: Open): void {
  describe(`WorkspaceMembers contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    const aTeam = async (...roles: ('owner' | 'admin' | 'editor' | 'normal')[]) => {
      const workspace = aWorkspace()
      await opened.seed.workspace(workspace)
      const people = roles.map((_role, at) => anAccount({ email: `${at}.${randomUUID()}@example.com` }))
      for (const [at, role] of roles.entries()) {
        const person = people[at]
        if (person !== undefined) await opened.stores.accounts.add(person, workspace.id, role)
      }
      const ids = people.map(({ id }) => id)
      const change = (actorId: string, targetId: string, wanted: MemberChange) =>
        opened.stores.members.change({ workspaceId: workspace.id, actorId, targetId, atMs: NOW_MS }, (standing) => {
          const { kind } = judgeMemberChange(standing, wanted)
          return { result: kind, write: kind === 'allowed' ? wanted : null }
        })
      return { workspaceId: workspace.id, ids, change }
    }

    it('N01 lists by email, page by page, and counts everybody', async () => {
      const { workspaceId, ids } = await aTeam('owner', 'normal', 'editor')
      const first = await opened.stores.members.list(workspaceId, { page: 1, limit: 2 })
      expect(first.data.map(({ accountId }) => accountId)).to.deep.equal(ids.slice(0, 2))
      expect([first.total, first.hasMore]).to.deep.equal([3, true])
      const second = await opened.stores.members.list(workspaceId, { page: 2, limit: 2 })
      expect(second.data.map(({ role, status }) => [role, status])).to.deep.equal([['editor', 'active']])
      for (const unknown of [randomUUID(), 'junk']) {
        expect((await opened.stores.members.list(unknown, { page: 1, limit: 2 })).total).to.equal(0)
      }
    })

    it('N01 adds, changes and removes one member, as the decision says', async () => {
      const { workspaceId, ids, change } = await aTeam('owner', 'normal')
      const [owner = '', member = ''] = ids
      const joining = anAccount()
      await opened.stores.accounts.add(joining, (await aTeam('owner')).workspaceId, 'normal')
      const found = async (id: string) => (await opened.stores.members.find(workspaceId, id))?.role ?? null
      expect(await change(owner, joining.id, { kind: 'add', role: 'admin' })).to.equal('allowed')
      expect(await found(joining.id)).to.equal('admin')
      expect(await change(owner, joining.id, { kind: 'add', role: 'normal' })).to.equal('already_member')
      expect(await change(owner, member, { kind: 'role', role: 'admin' })).to.equal('allowed')
      expect(await found(member)).to.equal('admin')
      expect(await change(owner, member, { kind: 'remove' })).to.equal('allowed')
      expect(await found(member)).to.equal(null)
      expect(await change(owner, member, { kind: 'remove' })).to.equal('member_not_found')
    })

    it('N01 a role leaves the workspace that one works in as it is', async () => {
      const { workspaceId, ids, change } = await aTeam('owner', 'normal')
      const [owner = '', member = ''] = ids
      await opened.stores.memberships.setCurrent(member, workspaceId)
      await change(owner, member, { kind: 'role', role: 'admin' })
      expect(await opened.stores.memberships.find(member, workspaceId)).to.include({ role: 'admin', current: true })
    })

    it('N01 two owners that remove each other at once leave one', async () => {
      for (let round = 0; round < 5; round++) {
        const { workspaceId, ids, change } = await aTeam('owner', 'owner')
        const [one = '', other = ''] = ids
        const verdicts = await Promise.all([
          change(one, other, { kind: 'remove' }),
          change(other, one, { kind: 'remove' }),
        ])
        expect(verdicts.filter((verdict) => verdict === 'allowed')).to.have.length(1)
        expect((await opened.stores.members.list(workspaceId, { page: 1, limit: 5 })).total).to.equal(1)
      }
    })

    it('N01 of ten additions of one person at once one adds', async () => {
      const { ids, change } = await aTeam('owner')
      const joining = anAccount()
      await opened.stores.accounts.add(joining, (await aTeam('owner')).workspaceId, 'normal')
      const add = () => change(ids[0] ?? '', joining.id, { kind: 'add', role: 'normal' })
      const verdicts = await Promise.all(Array.from({ length: 10 }, add))
      expect(verdicts.filter((verdict) => verdict === 'allowed')).to.have.length(1)
    })

    it('N01 in no workspace, and for no id, nobody stands anywhere', async () => {
      const { ids } = await aTeam('owner')
      for (const workspaceId of [randomUUID(), 'junk']) {
        const at = { workspaceId, actorId: ids[0] ?? '', targetId: 'junk', atMs: NOW_MS }
        const standing = await opened.stores.members.change(at, (seen) => ({ result: seen, write: null }))
        expect(standing).to.deep.equal({ workspace: null, actor: null, target: null, owners: 0 })
      }
    })
  })
}
