import { expect } from 'chai'
import type { PasswordHasher } from '#application/ports/password-hasher.ts'

/** What every PasswordHasher promises. */
export function passwordHasherContract(name: string, open: () => PasswordHasher): void {
  describe(`PasswordHasher contract: ${name}`, () => {
    const hasher = open()

    it('knows the password again, and no other', async () => {
      const hash = await hasher.hash('correct horse 1')
      expect(await hasher.verify('correct horse 1', hash)).to.equal(true)
      for (const wrong of ['correct horse 2', 'Correct horse 1', '', 'correct horse 1 ', hash]) {
        expect(await hasher.verify(wrong, hash), wrong).to.equal(false)
      }
    })

    it('salts: the same password has another hash each time', async () => {
      expect(await hasher.hash('same 1')).not.to.equal(await hasher.hash('same 1'))
    })

    it('never holds the password', async () => {
      expect(await hasher.hash('visible 1')).not.to.contain('visible')
    })

    it('takes one spelling of accents for the other', async () => {
      expect(await hasher.verify('cafe\u0301 1', await hasher.hash('caf\u00e9 1'))).to.equal(true)
    })

    it('refuses nobody, broken hashes and hashes of other schemes without throwing', async () => {
      for (const hash of [null, '', 'x', '$argon2id$v=19$m=1$c2FsdA$aGFzaA', '$scrypt$ln=99,r=8,p=1$c2FsdA$aGFzaA']) {
        expect(await hasher.verify('password 1', hash), String(hash)).to.equal(false)
      }
    })

    it('answers twenty concurrent checks each with its own truth', async () => {
      const hash = await hasher.hash('right 1')
      const tries = Array.from({ length: 20 }, (_, at) => hasher.verify(at % 2 === 0 ? 'right 1' : 'wrong 1', hash))
      expect(await Promise.all(tries)).to.deep.equal(Array.from({ length: 20 }, (_, at) => at % 2 === 0))
    })
  })
}
