import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { NewToken } from '#application/ports/token-store.ts'
import { anAccount, aToken, aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

const CUTOFF_MS = NOW_MS - 30 * 86_400_000

/** What every PruneTokens promises. */
export function tokenPrunerContract(name: string, open: Open): void {
  describe(`PruneTokens contract: ${name}`, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())

    async function mint(overrides: Partial<NewToken> = {}): Promise<NewToken> {
      const token = aToken(overrides)
      await opened.stores.tokens.mint(token)
      return token
    }
    async function mintRevoked(atMs: number, overrides: Partial<NewToken> = {}): Promise<NewToken> {
      const token = await mint(overrides)
      await opened.stores.tokens.revoke(token.id, atMs)
      return token
    }
    const stands = async ({ subject, id }: NewToken) => (await opened.stores.tokens.findOwn(subject, id)) !== null

    it('L04 deletes what was revoked, or expired unrevoked, before the cutoff, and nothing else', async () => {
      const gone = [
        await mintRevoked(CUTOFF_MS - 1),
        await mintRevoked(CUTOFF_MS - 1, { expiresAtMs: NOW_MS + 1 }),
        await mint({ expiresAtMs: CUTOFF_MS - 1 }),
      ]
      const kept = [
        await mintRevoked(CUTOFF_MS),
        // Its end is the revocation, however long ago it would have expired.
        await mintRevoked(CUTOFF_MS, { expiresAtMs: CUTOFF_MS - 1 }),
        await mint({ expiresAtMs: CUTOFF_MS }),
        await mint(),
      ]
      expect(await opened.stores.pruneTokens(CUTOFF_MS)).to.deep.equal({ revoked: 2, expired: 1 })
      expect(await Promise.all(gone.map(stands))).to.deep.equal([false, false, false])
      expect(await Promise.all(kept.map(stands))).to.deep.equal([true, true, true, true])
      expect(await opened.stores.pruneTokens(CUTOFF_MS)).to.deep.equal({ revoked: 0, expired: 0 })
    })

    // A browser renews every hour, and each renewal is a row.
    it('deletes the browsers’ sign-ins of which every token ran out before the cutoff', async () => {
      const { refreshTokens, pruneTokens } = opened.stores
      const accountId = await anAccountOf(opened)
      const longAgoMs = CUTOFF_MS - 2 * 86_400_000
      const aFamily = async (...ends: readonly number[]) => {
        const family = randomUUID()
        const hashes = ends.map(() => randomUUID())
        for (const [at, expiresAtMs] of ends.entries()) {
          await refreshTokens.insert({ hash: hashes[at] ?? '', family, accountId, expiresAtMs })
        }
        return { family, hashes }
      }
      const over = await aFamily(longAgoMs, longAgoMs)
      const renewed = await aFamily(longAgoMs, NOW_MS + 1)
      await pruneTokens(CUTOFF_MS)
      const kindOf = async (hash = '') => (await refreshTokens.use(hash, longAgoMs - 1)).kind
      expect(await Promise.all(over.hashes.map(kindOf))).to.deep.equal(['unknown', 'unknown'])
      expect(await Promise.all(renewed.hashes.map(kindOf))).to.deep.equal(['ok', 'ok'])
      expect(await refreshTokens.isLive({ family: renewed.family, accountId }, NOW_MS)).to.equal(true)
    })

    // The row that says so is older than a token that was handed out while the person signed out.
    it('security: pruning brings no sign-in back that was ended', async () => {
      const { refreshTokens, pruneTokens } = opened.stores
      const [accountId, family] = [await anAccountOf(opened), randomUUID()]
      await refreshTokens.insert({ hash: randomUUID(), family, accountId, expiresAtMs: CUTOFF_MS - 2 * 86_400_000 })
      await refreshTokens.endFamily(family)
      await refreshTokens.insert({ hash: randomUUID(), family, accountId, expiresAtMs: NOW_MS + 1 })
      await pruneTokens(CUTOFF_MS)
      expect(await refreshTokens.isLive({ family, accountId }, NOW_MS)).to.equal(false)
    })

    it('L04 leaves the audit rows of what it deletes', async () => {
      const { id } = await mint({ expiresAtMs: CUTOFF_MS - 1 })
      await opened.stores.audit.append({ event: 'oauth.token_expired', facts: { tokenId: id } }, CUTOFF_MS)
      await opened.stores.pruneTokens(CUTOFF_MS)
      expect((await opened.seed.auditRows()).filter(({ text }) => text.includes(id))).to.have.length(1)
    })

    it('L04 concurrent pruners delete every row once', async () => {
      for (let at = 0; at < 20; at++) await mint({ expiresAtMs: CUTOFF_MS - 1 })
      const counts = await Promise.all(Array.from({ length: 5 }, () => opened.stores.pruneTokens(CUTOFF_MS)))
      expect(counts.reduce((sum, pruned) => sum + (pruned?.expired ?? 0), 0)).to.equal(20)
    })
  })
}

async function anAccountOf({ seed, stores }: Opened): Promise<string> {
  const [account, workspace] = [anAccount(), aWorkspace()]
  await seed.workspace(workspace)
  await stores.accounts.add(account, workspace.id, 'normal')
  return account.id
}
