import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { Subject } from '#domain/subject.ts'
import { anAccount, aToken, aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

/** What every TokenStore promises. */
export function tokenStoreContract(name: string, open: Open): void {
  describe(`TokenStore contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    const aSubject = async (): Promise<Subject> => {
      const account = anAccount()
      const workspace = aWorkspace()
      await opened.seed.workspace(workspace)
      await opened.stores.accounts.add(account, workspace.id, 'normal')
      return { type: 'account', accountId: account.id, email: account.email }
    }
    const anAccountToken = (subject: Subject, deviceLabel = 'laptop') =>
      aToken({ subject, deviceLabel, prefix: 'dfoa_' })

    it('E24 the same device rotates its row in place: the id stays, the old secret is dead, the new one lives', async () => {
      const { tokens } = opened.stores
      const subject = await aSubject()
      const first = anAccountToken(subject)
      const second = anAccountToken(subject)
      expect(await tokens.mint(first)).to.deep.equal({ id: first.id, rotatedHash: null })
      expect(await tokens.mint(second)).to.deep.equal({ id: first.id, rotatedHash: first.tokenHash })
      expect(await tokens.findByHash(first.tokenHash)).to.equal(null)
      expect((await tokens.findByHash(second.tokenHash))?.id).to.equal(first.id)
    })

    it('E24 another label is a second row', async () => {
      const { tokens } = opened.stores
      const subject = await aSubject()
      await tokens.mint(anAccountToken(subject, 'laptop'))
      await tokens.mint(anAccountToken(subject, 'desktop'))
      expect((await tokens.listLive(subject, { page: 1, limit: 10 }, NOW_MS)).total).to.equal(2)
    })

    it('E24b an external subject rotates in place too', async () => {
      const { tokens } = opened.stores
      const first = aToken()
      const second = aToken({ subject: first.subject })
      await tokens.mint(first)
      expect(await tokens.mint(second)).to.deep.equal({ id: first.id, rotatedHash: first.tokenHash })
    })

    it('E24 twenty concurrent mints of one device leave one live secret, and name the nineteen that died', async () => {
      const { tokens } = opened.stores
      const subject = await aSubject()
      const all = Array.from({ length: 20 }, () => anAccountToken(subject))
      const minted = await Promise.all(all.map((token) => tokens.mint(token)))
      expect(new Set(minted.map(({ id }) => id)).size).to.equal(1)
      const dead = new Set(minted.map(({ rotatedHash }) => rotatedHash).filter((hash) => hash !== null))
      expect(dead.size).to.equal(19)
      const found = await Promise.all(all.map(({ tokenHash }) => tokens.findByHash(tokenHash)))
      const live = found.filter((row) => row !== null)
      expect(live).to.have.length(1)
      expect(dead.has(live[0]?.tokenHash ?? '')).to.equal(false)
    })

    it('E25 after a revoke the device mints a new row, with nothing rotated', async () => {
      const { tokens } = opened.stores
      const first = aToken()
      const second = aToken({ subject: first.subject })
      await tokens.mint(first)
      await tokens.revoke(first.id, NOW_MS)
      expect(await tokens.mint(second)).to.deep.equal({ id: second.id, rotatedHash: null })
    })

    it('B20 of twenty concurrent revokes one wins and is told the digest that died', async () => {
      const { tokens } = opened.stores
      const token = aToken()
      await tokens.mint(token)
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => tokens.revoke(token.id, NOW_MS)))
      expect(outcomes.filter((hash) => hash !== null)).to.deep.equal([token.tokenHash])
      expect(await tokens.findByHash(token.tokenHash)).to.equal(null)
    })

    // A check that began before a rotation must not end the token that came of it.
    it('a revoke of one digest leaves the row alone once it was rotated', async () => {
      const { tokens } = opened.stores
      const first = aToken()
      const second = aToken({ subject: first.subject })
      await tokens.mint(first)
      await tokens.mint(second)
      expect(await tokens.revoke(first.id, NOW_MS, first.tokenHash)).to.equal(null)
      expect((await tokens.findByHash(second.tokenHash))?.id).to.equal(first.id)
      expect(await tokens.revoke(first.id, NOW_MS, second.tokenHash)).to.equal(second.tokenHash)
    })

    it('returns a row as it was stored, instants to the millisecond', async () => {
      const { tokens } = opened.stores
      const token = aToken({ createdAtMs: NOW_MS + 123, deviceLabel: `O'Neil? \\ "mac" %` })
      await tokens.mint(token)
      expect(await tokens.findByHash(token.tokenHash)).to.deep.equal({
        id: token.id,
        subjectEmail: token.subject.email,
        subjectIssuer: 'https://idp.example',
        accountId: null,
        clientId: 'difyctl',
        deviceLabel: `O'Neil? \\ "mac" %`,
        prefix: 'dfoe_',
        tokenHash: token.tokenHash,
        createdAtMs: NOW_MS + 123,
        lastUsedAtMs: null,
        lastUsedIp: null,
        expiresAtMs: token.expiresAtMs,
      })
    })

    it('finds an expired row by its digest, so that its end can be recorded', async () => {
      const { tokens } = opened.stores
      const token = aToken({ expiresAtMs: NOW_MS - 1 })
      await tokens.mint(token)
      expect((await tokens.findByHash(token.tokenHash))?.id).to.equal(token.id)
    })

    it('G07 an external subject never matches an account row that has its email', async () => {
      const { tokens } = opened.stores
      const account = await aSubject()
      const token = anAccountToken(account)
      await tokens.mint(token)
      const stranger: Subject = { type: 'external_sso', email: account.email, issuer: 'dify:account' }
      expect(await tokens.findOwn(stranger, token.id)).to.equal(null)
      expect((await tokens.listLive(stranger, { page: 1, limit: 10 }, NOW_MS)).data).to.deep.equal([])
      expect(await tokens.findOwn(account, token.id)).to.deep.equal({ id: token.id, revoked: false })
    })

    it('G06 own rows are found revoked as well; foreign, unknown and malformed ids are not', async () => {
      const { tokens } = opened.stores
      const token = aToken()
      await tokens.mint(token)
      await tokens.revoke(token.id, NOW_MS)
      expect(await tokens.findOwn(token.subject, token.id)).to.deep.equal({ id: token.id, revoked: true })
      expect(await tokens.findOwn(aToken().subject, token.id)).to.equal(null)
      expect(await tokens.findOwn(token.subject, randomUUID())).to.equal(null)
      expect(await tokens.findOwn(token.subject, 'not-a-uuid')).to.equal(null)
      expect(await tokens.revoke('not-a-uuid', NOW_MS)).to.equal(null)
    })

    it('G04 lists live rows only, newest first; a token is dead at its very expiry', async () => {
      const { tokens } = opened.stores
      const { subject } = aToken()
      const mint = async (deviceLabel: string, overrides: Partial<Parameters<typeof aToken>[0]> = {}) => {
        const token = aToken({ subject, deviceLabel, ...overrides })
        await tokens.mint(token)
        return token.id
      }
      const old = await mint('old', { createdAtMs: NOW_MS - 2 })
      const young = await mint('young', { createdAtMs: NOW_MS - 1 })
      await mint('expiring', { expiresAtMs: NOW_MS })
      await tokens.revoke(await mint('revoked'), NOW_MS)
      const page = await tokens.listLive(subject, { page: 1, limit: 10 }, NOW_MS)
      expect(page.data.map(({ id }) => id)).to.deep.equal([young, old])
      expect(page).to.include({ total: 2, hasMore: false })
    })

    it('G14 pages of rows made in one millisecond neither overlap nor miss any', async () => {
      const { tokens } = opened.stores
      const { subject } = aToken()
      for (let at = 0; at < 5; at++) await tokens.mint(aToken({ subject, deviceLabel: `device ${at}` }))
      const pages = await Promise.all([1, 2, 3].map((page) => tokens.listLive(subject, { page, limit: 2 }, NOW_MS)))
      expect(pages.map(({ hasMore }) => hasMore)).to.deep.equal([true, true, false])
      expect(new Set(pages.flatMap(({ data }) => data.map(({ id }) => id))).size).to.equal(5)
    })
  })
}
