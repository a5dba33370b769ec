import { expect } from 'chai'
import sinon from 'sinon'
import type { TokenCache } from '#application/ports/token-cache.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import type { WorldOptions } from '../../support/world.ts'
import { chatFile } from '../app-files.ts'
import { said } from '../flow.ts'
import { API, aPlace, mintOwn, NO_BEARER_LIMIT, type Place } from '../place.ts'

/** Layer 0: an account reaches only workspaces that it is an active member of. */
export function layerZeroSuite(name: string, options: WorldOptions): void {
  describe(`layer 0: ${name}`, () => {
    let place: Place
    let token: string
    let hash: string
    let own: string

    beforeEach(async () => {
      place = await aPlace({ settings: NO_BEARER_LIMIT, ...options })
      token = await mintOwn(place)
      hash = place.ports.digest(token)
      own = place.owner.workspaceId
    })
    afterEach(async () => {
      sinon.restore()
      await place.close()
    })

    const listApps = (workspaceId: string) => place.get(`${API}/apps?workspace_id=${workspaceId}`, { token })
    const cached = async (key = hash) => (await place.ports.limiter.admit([], key)).cached
    const verdicts = async () => {
      const read = await cached()
      return read.kind === 'hit' ? read.context.verifiedWorkspaces : read.kind
    }
    /** The entry as the resolver leaves it. */
    async function warm(): Promise<AuthContext> {
      await place.get(`${API}/workspaces`, { token })
      const read = await cached()
      if (read.kind !== 'hit') throw new Error('nothing was cached')
      return read.context
    }
    const record = (entryId: string | null, verdict: Parameters<TokenCache['recordVerdict']>[3]) =>
      place.ports.cache.recordVerdict(hash, entryId ?? '', own, verdict)

    it('C01 recording a verdict is a no-op without an entry, on a negative one, and on another entry', async () => {
      const { cacheEntryId } = await warm()
      await place.ports.cache.forget([hash])
      await record(cacheEntryId, true)
      expect(await verdicts()).to.equal('miss')
      await place.ports.cache.invalidate([hash])
      await record(cacheEntryId, true)
      expect(await verdicts()).to.equal('invalid')

      token = await mintOwn(place, { label: 'second' })
      hash = place.ports.digest(token)
      await warm()
      await record(cacheEntryId, true)
      expect(await verdicts()).to.deep.equal({})
    })

    it('C02 recording keeps the other verdicts', async () => {
      const { cacheEntryId } = await warm()
      const other = place.ports.newId()
      await place.ports.cache.recordVerdict(hash, cacheEntryId ?? '', other, false)
      await record(cacheEntryId, true)
      expect(await verdicts()).to.deep.equal({ [other]: false, [own]: true })
    })

    it('C04 a cached yes costs no look at memberships', async () => {
      await listApps(own)
      const find = sinon.spy(place.ports.memberships, 'find')
      const account = sinon.spy(place.ports.accounts, 'find')
      expect((await listApps(own)).status).to.equal(200)
      expect([find.callCount, account.callCount]).to.deep.equal([0, 0])
    })

    it('C05 a cached no is a 403 without a look at memberships', async () => {
      const foreign = place.ports.newId()
      await listApps(foreign)
      const find = sinon.spy(place.ports.memberships, 'find')
      expect(said(await listApps(foreign))).to.equal('403 workspace_membership_revoked')
      expect(find.callCount).to.equal(0)
    })

    it('C06 no membership is a 403, and recorded; an unknown workspace answers the same', async () => {
      const { accountId } = await place.addMember('mia@example.test')
      const foreign = await place.edit.addWorkspace({ name: 'Theirs', accountId, createdAtMs: place.clock.now() })
      const unknown = place.ports.newId()
      const replies = [await listApps(foreign), await listApps(unknown)]
      for (const reply of replies) expect(said(reply)).to.equal('403 workspace_membership_revoked')
      expect(replies[0]?.text).to.equal(replies[1]?.text)
      expect(await verdicts()).to.deep.equal({ [foreign]: false, [unknown]: false })
    })

    it('C07 a member whose account is not active is a 403, and recorded', async () => {
      await place.edit.setAccountStatus(place.owner.accountId, 'uninitialized')
      expect(said(await listApps(own))).to.equal('403 workspace_membership_revoked')
      expect(await verdicts()).to.deep.equal({ [own]: false })
    })

    it('C08 an active member passes, and is recorded', async () => {
      expect((await listApps(own)).status).to.equal(200)
      expect(await verdicts()).to.deep.equal({ [own]: true })
    })

    it('C09 an app of another workspace is a 403, to describe and to run', async () => {
      const { accountId } = await place.addMember('mia@example.test')
      const workspaceId = await place.edit.addWorkspace({ name: 'Theirs', accountId, createdAtMs: place.clock.now() })
      const imported = await place.cases.importApp({ accountId, workspaceId, source: chatFile() })
      if (imported.status === 'pending') throw new Error('the file is of a newer format')
      const { appId } = imported
      const described = await place.get(`${API}/apps/${appId}/describe`, { token })
      expect(said(described)).to.equal('403 workspace_membership_revoked')
      const run = await place.post(`${API}/apps/${appId}/run`, { token, json: { inputs: {}, query: 'hi' } })
      expect(said(run)).to.equal('403 workspace_membership_revoked')
    })
  })
}
