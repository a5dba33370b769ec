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
  })
}
