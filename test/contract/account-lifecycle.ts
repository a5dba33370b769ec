import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { NewAccount } from '#application/ports/account-directory.ts'
import { anAccount, aToken, aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

/** What every AccountLifecycle promises. */
export function accountLifecycleContract(name: string, open: Open): void {
  describe(`AccountLifecycle contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    async function aPerson(): Promise<NewAccount> {
      const account = anAccount()
      const workspace = aWorkspace()
      await opened.seed.workspace(workspace)
      await opened.stores.accounts.add(account, workspace.id, 'normal')
      return account
    }
    async function mint({ id: accountId, email }: NewAccount, deviceLabel = 'laptop') {
      const token = aToken({ subject: { type: 'account', accountId, email }, prefix: 'dfoa_', deviceLabel })
      await opened.stores.tokens.mint(token)
      return token
    }

    it('of twenty concurrent changes from one status one wins', async () => {
      const { id } = await aPerson()
      const { lifecycle, accounts } = opened.stores
      const won = await Promise.all(Array.from({ length: 20 }, () => lifecycle.changeStatus(id, ['active'], 'banned')))
      expect(won.filter((one) => one)).to.have.length(1)
      expect((await accounts.find(id))?.status).to.equal('banned')
    })

    it('changes only from the statuses named, and nobody who is not there', async () => {
      const { id } = await aPerson()
      const { lifecycle, accounts } = opened.stores
      expect(await lifecycle.changeStatus(id, ['banned', 'closed'], 'active')).to.equal(false)
      expect(await lifecycle.changeStatus(randomUUID(), ['active'], 'banned')).to.equal(false)
      expect(await lifecycle.changeStatus('not-a-uuid', ['active'], 'banned')).to.equal(false)
      expect((await accounts.find(id))?.status).to.equal('active')
    })

    it('ends every live token of the account and names what died, once, and nobody else’s', async () => {
      const { lifecycle, tokens } = opened.stores
      const [person, other] = [await aPerson(), await aPerson()]
      const live = [await mint(person, 'laptop'), await mint(person, 'desktop')]
      const revoked = await mint(person, 'revoked')
      await tokens.revoke(revoked.id, NOW_MS)
      const foreign = await mint(other)
      const external = aToken({ subject: { type: 'external_sso', email: person.email, issuer: 'https://idp.example' } })
      await tokens.mint(external)

      const calls = await Promise.all(Array.from({ length: 5 }, () => lifecycle.revokeTokens(person.id, NOW_MS)))
      expect(calls.flat()).to.have.deep.members(live.map(({ id, tokenHash }) => ({ id, tokenHash })))
      for (const { tokenHash } of live) expect(await tokens.findByHash(tokenHash)).to.equal(null)
      for (const { tokenHash } of [foreign, external]) expect(await tokens.findByHash(tokenHash)).not.to.equal(null)
      expect(await lifecycle.revokeTokens('not-a-uuid', NOW_MS)).to.deep.equal([])
    })

    it('ends every sign-in, also for a refresh that was under way', async () => {
      const { lifecycle, refreshTokens } = opened.stores
      const [person, other] = [await aPerson(), await aPerson()]
      const aSignIn = async (accountId: string, family: string) => {
        const token = { hash: randomUUID(), family, accountId, expiresAtMs: NOW_MS + 60_000 }
        await refreshTokens.insert(token)
        return token
      }
      const [mine, foreign] = [randomUUID(), randomUUID()]
      const { hash } = await aSignIn(person.id, mine)
      await aSignIn(other.id, foreign)
      await refreshTokens.use(hash, NOW_MS)
      await lifecycle.endSignIns(person.id)
      const late = await aSignIn(person.id, mine)
      expect(await refreshTokens.isLive({ family: mine, accountId: person.id }, NOW_MS)).to.equal(false)
      expect(await refreshTokens.use(late.hash, NOW_MS)).to.deep.equal({ kind: 'unknown' })
      expect(await refreshTokens.isLive({ family: foreign, accountId: other.id }, NOW_MS)).to.equal(true)
    })
  })
}
