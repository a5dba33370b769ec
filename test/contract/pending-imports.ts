import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { MAX_PENDING_IMPORTS, PENDING_IMPORT_TTL_MS, type PendingImport } from '#application/ports/pending-imports.ts'
import { anAccount, aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

/** What every PendingImports promises. */
export function pendingImportsContract(name: string, open: Open): void {
  describe(`PendingImports contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    const aBringer = async () => {
      const account = anAccount()
      const workspace = aWorkspace()
      await opened.seed.workspace(workspace)
      await opened.stores.accounts.add(account, workspace.id, 'editor')
      return (overrides: Partial<PendingImport> = {}): PendingImport => ({
        id: randomUUID(),
        accountId: account.id,
        workspaceId: workspace.id,
        source: 'version: "9.0.0"\n',
        choices: { name: 'Mine', icon: { icon: '🤖' } },
        createdAtMs: NOW_MS,
        ...overrides,
      })
    }

    it('N01 keeps an import as it came, until it is taken', async () => {
      const { pendingImports } = opened.stores
      const pending = (await aBringer())()
      await pendingImports.add(pending)
      expect(await pendingImports.find(pending.id, NOW_MS + 1)).to.deep.equal(pending)
      expect(await pendingImports.take(pending.id, NOW_MS + 1)).to.equal(true)
      expect(await pendingImports.find(pending.id, NOW_MS + 1)).to.equal(null)
    })

    it('N01 of twenty that take at once one does', async () => {
      const { pendingImports } = opened.stores
      const pending = (await aBringer())()
      await pendingImports.add(pending)
      const taken = await Promise.all(Array.from({ length: 20 }, () => pendingImports.take(pending.id, NOW_MS)))
      expect(taken.filter(Boolean)).to.have.length(1)
    })

    it('N01 what waited too long, was never there or is no id cannot be taken', async () => {
      const { pendingImports } = opened.stores
      const pending = (await aBringer())()
      await pendingImports.add(pending)
      expect(await pendingImports.find(pending.id, NOW_MS + PENDING_IMPORT_TTL_MS - 1)).not.to.equal(null)
      for (const [id, atMs] of [
        [pending.id, NOW_MS + PENDING_IMPORT_TTL_MS],
        [randomUUID(), NOW_MS],
        ['junk', NOW_MS],
      ] as const) {
        expect(await pendingImports.find(id, atMs)).to.equal(null)
        expect(await pendingImports.take(id, atMs)).to.equal(false)
      }
    })

    it('N01 of one person only the latest few wait; those of others stay', async () => {
      const { pendingImports } = opened.stores
      const other = (await aBringer())()
      await pendingImports.add(other)
      const bring = await aBringer()
      const brought = Array.from({ length: MAX_PENDING_IMPORTS + 2 }, (_, at) => bring({ createdAtMs: NOW_MS + at }))
      for (const pending of brought) await pendingImports.add(pending)
      const left = await Promise.all(brought.map(({ id }) => pendingImports.find(id, NOW_MS + 10)))
      expect(left.map((one) => one !== null)).to.deep.equal(brought.map((_, at) => at >= 2))
      expect(await pendingImports.find(other.id, NOW_MS + 10)).not.to.equal(null)
    })

    it('N01 a unit of work that fails gives back what it took', async () => {
      const { pendingImports, unitOfWork } = opened.stores
      const pending = (await aBringer())()
      await pendingImports.add(pending)
      const failing = unitOfWork(async () => {
        expect(await pendingImports.take(pending.id, NOW_MS)).to.equal(true)
        throw new Error('no')
      })
      expect(await failing.catch((error: Error) => error.message)).to.equal('no')
      expect(await pendingImports.take(pending.id, NOW_MS)).to.equal(true)
    })
  })
}
