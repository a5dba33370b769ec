import { expect } from 'chai'
import type { NewToken } from '#application/ports/token-store.ts'
import { aToken, NOW_MS } from '../support/builders.ts'
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
