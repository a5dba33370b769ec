import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { aToken, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

const ISSUER = 'https://idp.example'

/** What every ExternalDirectory promises. */
export function externalDirectoryContract(name: string, open: Open): void {
  describe(`ExternalDirectory contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    const anEmail = () => `${randomUUID()}@company.example`
    const signOn = (email: string, groups: readonly string[], sub: string | null = null) =>
      opened.stores.externals.noteSignOn({ issuer: ISSUER, email, sub, groups }, NOW_MS)

    it('the groups are those of the latest sign-on, until somebody sets them', async () => {
      const { externals } = opened.stores
      const email = anEmail()
      expect(await externals.groups(ISSUER, email)).to.deep.equal([])
      expect(await externals.setGroups(ISSUER, email, ['x'])).to.equal(false)
      await signOn(email, ['a', 'b'])
      await signOn(email, ['b'])
      expect(await externals.groups(ISSUER, email)).to.deep.equal(['b'])
      expect(await externals.groups('https://other.example', email)).to.deep.equal([])
      expect(await externals.setGroups(ISSUER, email, [])).to.equal(true)
      expect(await externals.groups(ISSUER, email)).to.deep.equal([])
    })

    it('a block at one issuer or at all stands until it is lifted, over sign-ons and for people never seen', async () => {
      const { externals } = opened.stores
      const [one, all] = [anEmail(), anEmail()]
      await externals.block(one, ISSUER, NOW_MS)
      await externals.block(all, null, NOW_MS)
      await signOn(one, [])
      expect(await externals.isBlocked(ISSUER, one)).to.equal(true)
      expect(await externals.isBlocked('https://other.example', one)).to.equal(false)
      expect(await externals.isBlocked('https://other.example', all)).to.equal(true)
      expect(await externals.unblock(one, null)).to.equal(false)
      expect(await externals.unblock(one, ISSUER)).to.equal(true)
      expect(await externals.isBlocked(ISSUER, one)).to.equal(false)
      expect(await externals.isBlocked(ISSUER, anEmail())).to.equal(false)
    })

    it('people are found by the provider’s own name for them', async () => {
      const sub = randomUUID()
      const email = anEmail()
      await signOn(email, [], sub)
      expect(await opened.stores.externals.emailsOf(ISSUER, sub)).to.deep.equal([email])
      expect(await opened.stores.externals.emailsOf('https://other.example', sub)).to.deep.equal([])
    })

    it('ending a person’s tokens ends theirs only, at one issuer or at all', async () => {
      const { externals, tokens } = opened.stores
      const email = anEmail()
      const at = (issuer: string, deviceLabel: string) =>
        aToken({ subject: { type: 'external_sso', email, issuer }, deviceLabel })
      const [here, there] = [at(ISSUER, 'a'), at('https://other.example', 'b')]
      const other = aToken()
      for (const token of [here, there, other]) await tokens.mint(token)
      const dead = await externals.revokeTokens(email, ISSUER, NOW_MS)
      expect(dead).to.deep.equal([{ id: here.id, tokenHash: here.tokenHash }])
      expect(await tokens.findByHash(here.tokenHash)).to.equal(null)
      expect((await externals.revokeTokens(email, null, NOW_MS)).map(({ id }) => id)).to.deep.equal([there.id])
      expect(await externals.revokeTokens(email, null, NOW_MS)).to.deep.equal([])
      expect((await tokens.findByHash(other.tokenHash))?.id).to.equal(other.id)
    })
  })
}
