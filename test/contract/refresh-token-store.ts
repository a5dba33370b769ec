import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { RefreshToken } from '#application/ports/refresh-token-store.ts'
import { anAccount, aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

/** What every RefreshTokenStore promises. */
export function refreshTokenStoreContract(name: string, open: Open): void {
  describe(`RefreshTokenStore contract: ${name}`, () => {
    let opened: Opened
    let accountId: string
    before(async () => {
      opened = await open()
      const account = anAccount()
      const workspace = aWorkspace()
      await opened.seed.workspace(workspace)
      await opened.stores.accounts.add(account, workspace.id, 'normal')
      accountId = account.id
    })
    after(() => opened.close())

    const aRefreshToken = async (overrides: Partial<RefreshToken> = {}): Promise<RefreshToken> => {
      const token = { hash: randomUUID(), family: randomUUID(), accountId, expiresAtMs: NOW_MS + 1000, ...overrides }
      await opened.stores.refreshTokens.insert(token)
      return token
    }

    it('M04 of twenty concurrent uses one is ok, the others learn of the reuse', async () => {
      const { refreshTokens } = opened.stores
      const { hash, family } = await aRefreshToken()
      const uses = await Promise.all(Array.from({ length: 20 }, () => refreshTokens.use(hash, NOW_MS)))
      expect(uses.filter(({ kind }) => kind === 'ok')).to.deep.equal([{ kind: 'ok', family, accountId }])
      expect(uses.filter(({ kind }) => kind === 'reused')).to.have.length(19)
    })

    it('an unknown, an expired and an ended token look the same; expiry is exclusive', async () => {
      const { refreshTokens } = opened.stores
      const token = await aRefreshToken()
      expect(await refreshTokens.use(randomUUID(), NOW_MS)).to.deep.equal({ kind: 'unknown' })
      expect(await refreshTokens.use(token.hash, token.expiresAtMs)).to.deep.equal({ kind: 'unknown' })
      await refreshTokens.endFamily(token.family)
      expect(await refreshTokens.use(token.hash, NOW_MS)).to.deep.equal({ kind: 'unknown' })
    })

    it('M05 a sign-in stands while a token of it is unexpired, used or not, until it is ended', async () => {
      const { refreshTokens } = opened.stores
      const { family, hash, expiresAtMs } = await aRefreshToken()
      await refreshTokens.use(hash, NOW_MS)
      expect(await refreshTokens.isLive({ family, accountId }, expiresAtMs - 1)).to.equal(true)
      expect(await refreshTokens.isLive({ family, accountId }, expiresAtMs)).to.equal(false)
      await refreshTokens.endFamily(family)
      expect(await refreshTokens.isLive({ family, accountId }, NOW_MS)).to.equal(false)
      expect(await refreshTokens.isLive({ family: randomUUID(), accountId }, NOW_MS)).to.equal(false)
    })

    // Who got hold of the signing key must not sign in as others by the sign-in of their own.
    it('a sign-in is the person’s who signed in, and nobody else’s', async () => {
      const { refreshTokens } = opened.stores
      const { family } = await aRefreshToken()
      expect(await refreshTokens.isLive({ family, accountId }, NOW_MS)).to.equal(true)
      expect(await refreshTokens.isLive({ family, accountId: randomUUID() }, NOW_MS)).to.equal(false)
    })

    // A refresh under way while the person signs out would otherwise hand the browser a living session.
    it('M05 a token inserted after its family ended does not bring the sign-in back', async () => {
      const { refreshTokens } = opened.stores
      const { family } = await aRefreshToken()
      await refreshTokens.endFamily(family)
      const late = await aRefreshToken({ family })
      expect(await refreshTokens.isLive({ family, accountId }, NOW_MS)).to.equal(false)
      expect(await refreshTokens.use(late.hash, NOW_MS)).to.deep.equal({ kind: 'unknown' })
    })
  })
}
