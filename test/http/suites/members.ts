import { expect } from 'chai'
import sinon from 'sinon'
import type { Role } from '#domain/workspace.ts'
import { OWNER, type WorldOptions } from '../../support/world.ts'
import { chatFile } from '../app-files.ts'
import { said } from '../flow.ts'
import { API, aColleague, aPlace, mintExternal, mintFor, mintOwn, NO_BEARER_LIMIT, type Place } from '../place.ts'

/** Workspaces from the inside: switching, members and their roles, on whatever stores `options` name. */
export function membersSuite(name: string, options: WorldOptions): void {
  describe(`members: ${name}`, () => {
    let place: Place
    let owner: string
    let at: string
    beforeEach(async () => {
      place = await aPlace({ ...options, settings: NO_BEARER_LIMIT })
      owner = await mintOwn(place)
      at = `${API}/workspaces/${place.owner.workspaceId}`
    })
    afterEach(async () => {
      sinon.restore()
      await place.close()
    })

    const aStranger = async () => {
      const stranger = await aColleague(place, 'normal', 'stranger@example.test')
      await place.ports.memberships.remove(stranger.accountId, place.owner.workspaceId)
      return stranger
    }
    const members = async (token: string) => place.get(`${at}/members`, { token })
    const setRole = (token: string, id: string, role: unknown) =>
      place.send('PUT', `${at}/members/${id}/role`, { token, json: { role } })

    it('N01 a member switches to a workspace, again is the same, and every answer knows it', async () => {
      const { accountId, workspaceId: first } = place.owner
      const second = await place.edit.addWorkspace({ name: 'Second', accountId, createdAtMs: place.clock.now() + 1 })
      // Remembered before, so that the switch has something to take back.
      await place.get(`${API}/account`, { token: owner })
      for (let round = 0; round < 2; round++) {
        const reply = await place.post(`${API}/workspaces/${second}/switch`, { token: owner })
        const row = { id: second, name: 'Second', role: 'owner', status: 'normal', current: true }
        expect([reply.status, reply.json]).to.deep.equal([200, row])
      }
      const { json } = await place.get(`${API}/workspaces`, { token: owner })
      expect(json.data.map((row: { id: string; current: boolean }) => [row.id, row.current])).to.deep.equal([
        [first, false],
        [second, true],
      ])
      expect((await place.get(`${API}/account`, { token: owner })).json.default_workspace_id).to.equal(second)
      const shouted = await place.post(`${API}/workspaces/${first.toUpperCase()}/switch`, { token: owner })
      expect(shouted.json).to.include({ id: first, current: true })
    })

    it('N01 nobody switches to a foreign, unknown or impossible workspace, and all answers are one', async () => {
      const stranger = await aStranger()
      const elsewhere = await place.edit.addWorkspace({
        name: 'Theirs',
        accountId: stranger.accountId,
        createdAtMs: place.clock.now(),
      })
      const ids = [elsewhere, place.ports.newId(), 'junk', '%00', 'a%2Fb']
      const answers = await Promise.all(ids.map((id) => place.post(`${API}/workspaces/${id}/switch`, { token: owner })))
      for (const { status, json } of answers) {
        expect([status, json.message]).to.deep.equal([404, 'workspace not found'])
      }
    })

    for (const role of ['owner', 'admin', 'editor', 'normal'] as const) {
      it(`N01 a member with role ${role} lists everybody, by email and page`, async () => {
        const caller = role === 'owner' ? { token: owner } : await aColleague(place, role, 'zoe@example.test')
        await aColleague(place, 'normal', 'bo@example.test')
        const all = await members(caller.token)
        expect(all.json).to.deep.include({ page: 1, limit: 100, has_more: false })
        const emails = all.json.data.map((one: { email: string }) => one.email)
        expect(emails).to.deep.equal(emails.toSorted())
        expect(all.json.total).to.equal(role === 'owner' ? 2 : 3)
        expect(all.json.data[0]).to.have.all.keys('id', 'name', 'email', 'role', 'status')
        const second = await place.get(`${at}/members?page=2&limit=1`, { token: caller.token })
        expect(second.json.data).to.deep.equal([all.json.data[1]])
      })
    }

    const CHANGERS: readonly (readonly [role: Role, may: boolean])[] = [
      ['owner', true],
      ['admin', true],
      ['editor', false],
      ['normal', false],
    ]
    for (const [role, may] of CHANGERS) {
      it(`N01 a member with role ${role} ${may ? 'changes' : 'does not change'} who belongs`, async () => {
        const stranger = await aStranger()
        const caller = role === 'owner' ? { token: owner } : await aColleague(place, role)
        const json = { email: ` ${stranger.email.toUpperCase()} `, role: 'normal' }
        const added = await place.post(`${at}/members`, { token: caller.token, json })
        const other = await aColleague(place, 'normal', 'other@example.test')
        const changed = await setRole(caller.token, other.accountId, 'admin')
        const removed = await place.delete(`${at}/members/${other.accountId}`, { token: caller.token })
        if (may) {
          const row = { id: stranger.accountId, name: stranger.email, email: stranger.email, role: 'normal' }
          expect([added.status, added.json]).to.deep.equal([201, { ...row, status: 'active' }])
          expect([changed.status, changed.json.role]).to.deep.equal([200, 'admin'])
          expect([removed.status, removed.json]).to.deep.equal([200, { result: 'success' }])
          return
        }
        for (const reply of [added, changed, removed]) {
          expect([reply.status, reply.json.message]).to.deep.equal([403, 'this takes the role admin or above'])
        }
        expect((await members(owner)).json.data.map((one: { id: string }) => one.id)).to.not.include(stranger.accountId)
      })
    }

    it('N01 people without an account here are refused by kind, before anything is looked up', async () => {
      const token = await mintExternal(place)
      const id = place.ports.newId()
      const refused = [
        await place.post(`${at}/switch`, { token }),
        await place.get(`${at}/members`, { token }),
        await place.post(`${at}/members`, { token, json: { email: 'a@b.example', role: 'admin' } }),
        await setRole(token, id, 'admin'),
        await place.delete(`${at}/members/${id}`, { token }),
        await place.post(`${API}/workspaces/junk/switch`, { token }),
      ]
      for (const reply of refused) expect(said(reply)).to.equal('403 wrong_subject_type')
    })

    it('N01 strangers hear the same of a workspace that is there and of one that is not', async () => {
      const { token, accountId } = await aStranger()
      const there = [
        await place.get(`${at}/members`, { token }),
        await place.post(`${at}/members`, { token, json: { email: OWNER.email, role: 'normal' } }),
        await place.post(`${at}/members`, { token, json: { email: 'nobody@example.test', role: 'normal' } }),
        await setRole(token, place.owner.accountId, 'normal'),
        await place.delete(`${at}/members/${accountId}`, { token }),
      ]
      const none = await place.get(`${API}/workspaces/${place.ports.newId()}/members`, { token })
      for (const reply of there) expect([reply.status, reply.text]).to.deep.equal([404, none.text])
    })

    it('N01 an email without an account, or of one who was shut out, is nobody', async () => {
      const stranger = await aStranger()
      await place.cases.changeAccount(stranger.email, 'ban')
      const add = (email: string) => place.post(`${at}/members`, { token: owner, json: { email, role: 'normal' } })
      const [banned, unknown] = [await add(stranger.email), await add('nobody@example.test')]
      expect(said(unknown)).to.equal('404 account_not_found')
      expect(banned.text).to.equal(unknown.text)
    })

    it('N01 who is a member already, or is none, is told so', async () => {
      const { email, accountId } = await aStranger()
      const add = () => place.post(`${at}/members`, { token: owner, json: { email, role: 'admin' } })
      const missing = [
        await setRole(owner, accountId, 'admin'),
        await place.delete(`${at}/members/${accountId}`, { token: owner }),
        await place.delete(`${at}/members/${place.ports.newId()}`, { token: owner }),
      ]
      for (const { status, json } of missing) expect([status, json.message]).to.deep.equal([404, 'member not found'])
      const replies = await Promise.all(Array.from({ length: 5 }, add))
      expect(replies.map(said).toSorted()).to.deep.equal([
        ...Array(1).fill('201 active'),
        ...Array(4).fill('409 already_member'),
      ])
    })

    it('N01 only owners change owners, and the last one cannot go or step down', async () => {
      const admin = await aColleague(place, 'admin')
      const { accountId } = place.owner
      for (const reply of [
        await setRole(admin.token, accountId, 'normal'),
        await place.delete(`${at}/members/${accountId}`, { token: admin.token }),
      ]) {
        expect([reply.status, reply.json.message]).to.deep.equal([403, 'this takes the role owner or above'])
      }
      expect(said(await setRole(owner, accountId, 'admin'))).to.equal('409 last_owner')
      expect(said(await place.delete(`${at}/members/${accountId}`, { token: owner }))).to.equal('409 last_owner')
      expect((await members(owner)).status).to.equal(200)
    })

    it('N01 two owners that remove each other at once leave one', async () => {
      const other = await aColleague(place, 'owner', 'second@example.test')
      const replies = await Promise.all([
        place.delete(`${at}/members/${other.accountId}`, { token: owner }),
        place.delete(`${at}/members/${place.owner.accountId}`, { token: other.token }),
      ])
      expect(replies.filter(({ status }) => status === 200)).to.have.length(1)
      const page = await place.ports.members.list(place.owner.workspaceId, { page: 1, limit: 10 })
      expect(page.data.map(({ role }) => role)).to.deep.equal(['owner'])
    })

    it('N01 two admins that unmake each other at once: the second no longer may', async () => {
      const [one, two] = [await aColleague(place, 'admin'), await aColleague(place, 'admin', 'two@example.test')]
      const replies = await Promise.all([
        setRole(one.token, two.accountId, 'normal'),
        setRole(two.token, one.accountId, 'normal'),
      ])
      expect(replies.map(({ status }) => status).toSorted()).to.deep.equal([200, 403])
    })

    it('C11 N01 who was removed reaches nothing at the next request, and reaches it again once taken back', async () => {
      const appId = await place.addApp(chatFile())
      const { token, accountId, email } = await aColleague(place, 'admin')
      const app = () => place.get(`${API}/apps/${appId}/describe`, { token })
      expect((await app()).status).to.equal(200)
      expect((await place.delete(`${at}/members/${accountId}`, { token: owner })).status).to.equal(200)
      expect(said(await app())).to.equal('403 workspace_membership_revoked')
      expect((await place.get(`${API}/workspaces`, { token })).json.total).to.equal(0)
      expect((await place.get(`${at}/members`, { token })).status).to.equal(404)
      await place.post(`${at}/members`, { token: owner, json: { email, role: 'normal' } })
      expect((await app()).status).to.equal(200)
    })

    it('N01 a role that was taken while its bearer’s entry was warm changes nothing any more', async () => {
      const { token, accountId } = await aColleague(place, 'admin')
      await members(token)
      expect((await setRole(owner, accountId, 'normal')).status).to.equal(200)
      const json = { email: OWNER.email, role: 'normal' }
      expect((await place.post(`${at}/members`, { token, json })).status).to.equal(403)
      expect((await place.get(`${API}/workspaces`, { token })).json.data[0].role).to.equal('normal')
    })

    it('N01 a role that is taken during a request is taken', async () => {
      const admin = await aColleague(place, 'admin')
      const other = await aColleague(place, 'normal', 'other@example.test')
      const { find } = place.ports.accounts
      // The caller was admitted; before the change is decided, the owner is faster.
      sinon.stub(place.ports.accounts, 'find').callsFake(async (id) => {
        sinon.restore()
        await place.cases.members.setRole(
          { actorId: place.owner.accountId, workspaceId: place.owner.workspaceId },
          admin.accountId,
          'normal',
        )
        return find(id)
      })
      const reply = await place.delete(`${at}/members/${other.accountId}`, { token: admin.token })
      expect(reply.status).to.equal(403)
    })

    it('N01 the same role again is no change and leaves no event', async () => {
      const { accountId } = await aColleague(place, 'normal')
      expect((await setRole(owner, accountId, 'normal')).json.role).to.equal('normal')
      expect(await place.edit.auditRows('workspace.member_role_changed')).to.deep.equal([])
    })

    it('N01 a workspace that was archived is changed by nobody', async () => {
      const { accountId } = await aColleague(place, 'normal')
      await place.edit.setWorkspaceStatus(place.owner.workspaceId, 'archive')
      expect((await setRole(owner, accountId, 'admin')).status).to.equal(404)
    })

    for (const role of ['owner', 'editor', 'ADMIN', '', null, 7, undefined]) {
      it(`N01 the role ${JSON.stringify(role)} is not given, neither new nor changed`, async () => {
        const { accountId } = await aColleague(place, 'normal')
        const stranger = await aStranger()
        const replies = [
          await setRole(owner, accountId, role),
          await place.post(`${at}/members`, { token: owner, json: { email: stranger.email, role } }),
        ]
        for (const { status, json } of replies) {
          expect(status).to.equal(422)
          expect(json.details[0].loc).to.deep.equal(['role'])
        }
        expect((await members(owner)).json.total).to.equal(2)
      })
    }

    it('N01 junk in the path is that route’s 404, encoded once or twice', async () => {
      for (const id of ['junk', '%2e%2e', '%2525', `${place.owner.accountId}%00`, encodeURIComponent('a/b')]) {
        expect((await place.delete(`${at}/members/${id}`, { token: owner })).status, id).to.equal(404)
        expect((await place.get(`${API}/workspaces/${id}/members`, { token: owner })).status, id).to.equal(404)
      }
      const encoded = [...place.owner.workspaceId].map((one) => `%${one.charCodeAt(0).toString(16)}`).join('')
      expect((await place.get(`${API}/workspaces/${encoded}/members`, { token: owner })).status).to.equal(200)
      const twice = encoded.replaceAll('%', '%25')
      expect((await place.get(`${API}/workspaces/${twice}/members`, { token: owner })).status).to.equal(404)
    })

    it('N01 a request without a body and content type is never 415', async () => {
      const headers = { 'Content-Length': '0' }
      const { accountId } = await aColleague(place, 'normal')
      expect((await place.post(`${at}/switch`, { token: owner, headers })).status).to.equal(200)
      expect((await place.post(`${at}/members`, { token: owner, headers })).status).to.equal(422)
      expect((await place.delete(`${at}/members/${accountId}`, { token: owner, headers })).status).to.equal(200)
    })

    it('N01 a bearer of a removed account’s own is of no use to change itself back', async () => {
      const { accountId, email } = await aColleague(place, 'admin')
      await place.delete(`${at}/members/${accountId}`, { token: owner })
      const token = await mintFor(place, { accountId, email })
      expect((await place.post(`${at}/members`, { token, json: { email, role: 'admin' } })).status).to.equal(404)
    })
  })
}
