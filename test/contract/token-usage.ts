import { expect } from 'chai'
import type { NewToken } from '#application/ports/token-store.ts'
import { aToken, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

const MINUTE_MS = 60_000

/** What every RecordTokenUses promises. */
export function tokenUsageContract(name: string, open: Open): void {
  describe(`RecordTokenUses contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    async function aMinted(overrides: Partial<NewToken> = {}): Promise<NewToken> {
      const token = aToken(overrides)
      await opened.stores.tokens.mint(token)
      return token
    }
    const use = ({ tokenHash }: NewToken, atMs: number, ip = '203.0.113.9') => ({
      tokenHash,
      atMs,
      ip,
      userAgent: `it's? "agent" \\ 1`,
    })
    const lastUse = async ({ tokenHash }: NewToken) => {
      const row = await opened.stores.tokens.findByHash(tokenHash)
      return row === null ? null : [row.lastUsedAtMs, row.lastUsedIp]
    }

    it('writes when and from where, to the millisecond, for many tokens at once', async () => {
      const tokens = await Promise.all(Array.from({ length: 1201 }, () => aMinted()))
      await opened.stores.recordTokenUses(
        tokens.map((token, at) => use(token, NOW_MS + at, `203.0.113.${at % 250}`)),
        MINUTE_MS,
      )
      for (const at of [0, 499, 500, 1200]) {
        const token = tokens[at]
        if (token === undefined) throw new Error('no such token')
        expect(await lastUse(token)).to.deep.equal([NOW_MS + at, `203.0.113.${at % 250}`])
      }
    })

    it('a row written less than the gap before is left as it is, at the gap it is written again', async () => {
      const token = await aMinted()
      const { recordTokenUses } = opened.stores
      await recordTokenUses([use(token, NOW_MS, '203.0.113.1')], MINUTE_MS)
      await recordTokenUses([use(token, NOW_MS + MINUTE_MS - 1, '203.0.113.2')], MINUTE_MS)
      expect(await lastUse(token)).to.deep.equal([NOW_MS, '203.0.113.1'])
      await recordTokenUses([use(token, NOW_MS + MINUTE_MS, '203.0.113.3')], MINUTE_MS)
      expect(await lastUse(token)).to.deep.equal([NOW_MS + MINUTE_MS, '203.0.113.3'])
    })

    it('never goes back in time', async () => {
      const token = await aMinted()
      await opened.stores.recordTokenUses([use(token, NOW_MS, '203.0.113.1')], 0)
      await opened.stores.recordTokenUses([use(token, NOW_MS - 1, '203.0.113.2')], 0)
      expect(await lastUse(token)).to.deep.equal([NOW_MS, '203.0.113.1'])
    })

    it('a token that a rotation put in the place of another does not inherit its uses', async () => {
      const first = await aMinted()
      const second = await aMinted({ subject: first.subject })
      await opened.stores.recordTokenUses([use(first, NOW_MS)], 0)
      expect(await lastUse(second)).to.deep.equal([null, null])
    })

    it('unknown and revoked tokens are nobody’s', async () => {
      const token = await aMinted()
      await opened.stores.tokens.revoke(token.id, NOW_MS)
      await opened.stores.recordTokenUses([use(token, NOW_MS), use(aToken(), NOW_MS)], 0)
      expect(await lastUse(token)).to.equal(null)
    })

    it('twenty replicas that write the same tokens in any order neither fail nor wait for each other for ever', async () => {
      const tokens = await Promise.all(Array.from({ length: 40 }, () => aMinted()))
      const batches = Array.from({ length: 20 }, (_, at) => {
        const uses = tokens.map((token) => use(token, NOW_MS + at))
        return at % 2 === 0 ? uses : uses.toReversed()
      })
      await Promise.all(batches.map((uses) => opened.stores.recordTokenUses(uses, MINUTE_MS)))
      for (const token of tokens) expect((await lastUse(token))?.[0]).to.be.within(NOW_MS, NOW_MS + 19)
    })
  })
}
