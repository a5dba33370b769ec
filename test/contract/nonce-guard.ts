import { expect } from 'chai'
import { NONCE_TTL_MS, type NonceGuard } from '#application/ports/nonce-guard.ts'

type Opened = {
  readonly nonces: NonceGuard
  /** Lets so much time pass for what was spent. */
  age(ms: number): Promise<void>
  close(): Promise<void>
}

/** What every NonceGuard promises. */
export function nonceGuardContract(name: string, open: () => Promise<Opened>): void {
  describe(`NonceGuard contract: ${name}`, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())

    it('F05 lets a nonce be spent once', async () => {
      const { nonces } = opened
      expect(await nonces.spend('assertion', 'a')).to.equal(true)
      for (let i = 0; i < 3; i++) expect(await nonces.spend('assertion', 'a')).to.equal(false)
    })

    it('F05 of fifty concurrent spenders one wins', async () => {
      const spend = () => opened.nonces.spend('grant', 'a')
      const won = await Promise.all(Array.from({ length: 50 }, spend))
      expect(won.filter(Boolean)).to.have.length(1)
    })

    it('one that was given back can be spent once more, and no other', async () => {
      const { nonces } = opened
      for (const purpose of ['logout', 'grant'] as const) await nonces.spend(purpose, 'a')
      await nonces.giveBack('logout', 'a')
      await nonces.giveBack('logout', 'never spent')
      expect(await nonces.spend('logout', 'a')).to.equal(true)
      expect(await nonces.spend('logout', 'a')).to.equal(false)
      expect(await nonces.spend('grant', 'a')).to.equal(false)
    })

    it('keeps purposes and nonces apart, however they are spelt', async () => {
      const spent = [
        ['assertion', 'a'],
        ['grant', 'a'],
        ['assertion', 'A'],
        ['assertion', 'a '],
        ['assertion', ''],
        ['assertion', 'grant:a'],
        ['assertion', '{a}'],
        ['assertion', 'ä\r\n*'],
        ['assertion', 'x'.repeat(128)],
        ['assertion', 'x'.repeat(127)],
      ] as const
      for (const [purpose, nonce] of spent) expect(await opened.nonces.spend(purpose, nonce), nonce).to.equal(true)
      for (const [purpose, nonce] of spent) expect(await opened.nonces.spend(purpose, nonce), nonce).to.equal(false)
    })

    it('remembers for ten minutes, and not for ever', async () => {
      await opened.nonces.spend('assertion', 'a')
      await opened.age(NONCE_TTL_MS - 10_000)
      expect(await opened.nonces.spend('assertion', 'a')).to.equal(false)
      await opened.age(10_000)
      expect(await opened.nonces.spend('assertion', 'a')).to.equal(true)
    })
  })
}
