import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { aToken, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

/** What every UnitOfWork promises of the stores beside it. */
export function unitOfWorkContract(name: string, open: Open): void {
  describe(`UnitOfWork contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    const audited = async (tokenId: string) =>
      (await opened.seed.auditRows()).filter(({ text }) => text.includes(tokenId)).length
    const mintAndAudit = async (token: ReturnType<typeof aToken>) => {
      await opened.stores.tokens.mint(token)
      await opened.stores.audit.append({ event: 'oauth.token_expired', facts: { tokenId: token.id } }, NOW_MS)
    }
    const failure = async (work: Promise<unknown>): Promise<unknown> => {
      try {
        await work
        return null
      } catch (error) {
        return error
      }
    }

    it('token and audit row commit together, and the result is the work’s own', async () => {
      const { unitOfWork, tokens } = opened.stores
      const token = aToken()
      const result = await unitOfWork(async () => {
        await mintAndAudit(token)
        return 'done'
      })
      expect(result).to.equal('done')
      expect((await tokens.findByHash(token.tokenHash))?.id).to.equal(token.id)
      expect(await audited(token.id)).to.equal(1)
    })

    it('nothing stays when the work throws, and the caller gets that very error', async () => {
      const { unitOfWork, tokens } = opened.stores
      const token = aToken()
      const boom = new Error('boom')
      const thrown = await failure(
        unitOfWork(async () => {
          await mintAndAudit(token)
          throw boom
        }),
      )
      expect(thrown).to.equal(boom)
      expect(await tokens.findByHash(token.tokenHash)).to.equal(null)
      expect(await audited(token.id)).to.equal(0)
    })

    it('work sees its own writes, those of a rotated row included', async () => {
      const { unitOfWork, tokens } = opened.stores
      const before = aToken()
      const after = aToken({ subject: before.subject })
      await tokens.mint(before)
      await failure(
        unitOfWork(async () => {
          await tokens.mint(after)
          expect(await tokens.findByHash(before.tokenHash)).to.equal(null)
          throw new Error('undo')
        }),
      )
      expect((await tokens.findByHash(before.tokenHash))?.id).to.equal(before.id)
      expect(await tokens.findByHash(after.tokenHash)).to.equal(null)
    })

    it('a failed part of a larger work is undone alone', async () => {
      const { unitOfWork, tokens } = opened.stores
      const kept = aToken()
      const undone = aToken()
      await unitOfWork(async () => {
        await tokens.mint(kept)
        await failure(
          unitOfWork(async () => {
            await tokens.mint(undone)
            throw new Error('undo')
          }),
        )
      })
      expect((await tokens.findByHash(kept.tokenHash))?.id).to.equal(kept.id)
      expect(await tokens.findByHash(undone.tokenHash)).to.equal(null)
    })

    it('twenty concurrent works, every other one failing, keep exactly the ten that did not', async () => {
      const { unitOfWork, tokens } = opened.stores
      const all = Array.from({ length: 20 }, () => aToken())
      await Promise.all(
        all.map((token, at) =>
          failure(
            unitOfWork(async () => {
              await mintAndAudit(token)
              if (at % 2 === 1) throw new Error('undo')
            }),
          ),
        ),
      )
      const found = await Promise.all(all.map(({ tokenHash }) => tokens.findByHash(tokenHash)))
      expect(found.map((row) => row !== null)).to.deep.equal(all.map((_, at) => at % 2 === 0))
    })

    it('what is written beside a work that fails stays', async () => {
      const { unitOfWork, tokens } = opened.stores
      const inside = aToken({ deviceLabel: randomUUID() })
      const beside = aToken()
      const failing = failure(
        unitOfWork(async () => {
          await tokens.mint(inside)
          throw new Error('undo')
        }),
      )
      await Promise.all([failing, tokens.mint(beside)])
      expect((await tokens.findByHash(beside.tokenHash))?.id).to.equal(beside.id)
      expect(await tokens.findByHash(inside.tokenHash)).to.equal(null)
    })

    it('a generous time limit changes nothing', async () => {
      const { unitOfWork, tokens } = opened.stores
      const token = aToken()
      await unitOfWork(() => tokens.mint(token), { timeoutMs: 5000 })
      expect((await tokens.findByHash(token.tokenHash))?.id).to.equal(token.id)
    })
  })
}
