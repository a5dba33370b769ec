import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

/** What every AuditLog promises. */
export function auditLogContract(name: string, open: Open): void {
  describe(`AuditLog contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    it('keeps each of twenty concurrent events once', async () => {
      const ids = Array.from({ length: 20 }, () => randomUUID())
      await Promise.all(
        ids.map((tokenId) => opened.stores.audit.append({ event: 'oauth.token_expired', facts: { tokenId } }, NOW_MS)),
      )
      const rows = await opened.seed.auditRows()
      for (const id of ids) expect(rows.filter(({ text }) => text.includes(id))).to.have.length(1)
    })

    it('keeps event and facts as they were told', async () => {
      const tokenId = randomUUID()
      await opened.stores.audit.append(
        {
          event: 'oauth.token_revoked',
          facts: { tokenId, subjectType: 'account', accountId: null, reason: "it's? \\" },
        },
        NOW_MS,
      )
      const row = (await opened.seed.auditRows()).find(({ text }) => text.includes(tokenId))
      expect(row?.event).to.equal('oauth.token_revoked')
      expect(row?.text).to.contain(JSON.stringify("it's? \\"))
    })

    it('is read from an instant on, inclusive, oldest first, with the facts as they were told', async () => {
      const { audit, readAudit } = opened.stores
      const ids = Array.from({ length: 3 }, () => randomUUID())
      const [first = '', second = '', third = ''] = ids
      const sinceMs = NOW_MS + 1_000_000
      const expired = (tokenId: string, atMs: number) =>
        audit.append({ event: 'oauth.token_expired', facts: { tokenId } }, atMs)
      await expired(third, sinceMs + 2)
      await expired(first, sinceMs)
      await audit.append({ event: 'console.login', facts: { accountId: second, ip: '203.0.113.1' } }, sinceMs + 1)
      await expired(randomUUID(), sinceMs - 1)
      const read = (event: 'console.login' | null, limit = 10) => readAudit({ sinceMs, event, limit })
      const login = {
        atMs: sinceMs + 1,
        event: 'console.login',
        facts: { account_id: second, ip: '203.0.113.1' },
      }
      expect(await read(null)).to.deep.equal([
        { atMs: sinceMs, event: 'oauth.token_expired', facts: { token_id: first } },
        login,
        { atMs: sinceMs + 2, event: 'oauth.token_expired', facts: { token_id: third } },
      ])
      expect(await read('console.login')).to.deep.equal([login])
      expect(await read(null, 1)).to.have.length(1)
    })
  })
}
