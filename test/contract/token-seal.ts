import { expect } from 'chai'
import type { TokenSeal } from '#application/ports/secrets.ts'

const CODE = 'dc_0123456789abcdefghijklmnopqrstuv'
const TOKEN = `dfoa_${'x'.repeat(43)}`

/** What every TokenSeal promises. */
export function tokenSealContract(name: string, open: () => TokenSeal): void {
  describe(`TokenSeal contract: ${name}`, () => {
    const seal = open()
    const sealed = () => seal.seal(seal.publicKeyOf(CODE), TOKEN)

    it('opens with the device code that the key came from', () => {
      expect(seal.open(sealed(), CODE)).to.equal(TOKEN)
    })

    it('derives the same public key from the same code, and another from another', () => {
      expect(seal.publicKeyOf(CODE)).to.equal(open().publicKeyOf(CODE))
      expect(seal.publicKeyOf(CODE)).not.to.equal(seal.publicKeyOf(`${CODE}x`))
      expect(seal.publicKeyOf(CODE)).to.match(/^[A-Za-z0-9_-]{43}$/)
    })

    it('seals the same token differently each time, a hundred at once too', async () => {
      const boxes = await Promise.all(Array.from({ length: 100 }, async () => sealed()))
      expect(new Set(boxes.map(({ box }) => box)).size).to.equal(100)
      expect(new Set(boxes.map(({ ephemeral }) => ephemeral)).size).to.equal(100)
      for (const box of boxes) expect(seal.open(box, CODE)).to.equal(TOKEN)
    })

    it('E16 neither token nor code is in what is stored, and what is stored opens nothing', () => {
      const publicKey = seal.publicKeyOf(CODE)
      const box = seal.seal(publicKey, TOKEN)
      const stored = JSON.stringify({ publicKey, box })
      expect(stored).not.to.contain(TOKEN)
      expect(stored).not.to.contain(CODE)
      for (const value of [publicKey, box.ephemeral, box.box]) expect(seal.open(box, value)).to.equal(null)
    })

    it('answers null to another code', () => {
      expect(seal.open(sealed(), 'dc_another')).to.equal(null)
      expect(seal.open(sealed(), '')).to.equal(null)
    })

    it('answers null when any character of the box is changed', () => {
      const { box, ...rest } = sealed()
      for (let at = 0; at < box.length - 1; at++) {
        const other = box[at] === 'A' ? 'B' : 'A'
        const tampered = box.slice(0, at) + other + box.slice(at + 1)
        expect(seal.open({ ...rest, box: tampered }, CODE), `at ${at}`).to.equal(null)
      }
    })

    it('answers null to garbage, truncation and keys of small order, and never throws', () => {
      const good = sealed()
      const zero = Buffer.alloc(32).toString('base64url')
      const one = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]).toString('base64url')
      for (const ephemeral of ['', 'x', zero, one, 'ö'.repeat(43), `${good.ephemeral}A`, seal.publicKeyOf(CODE)]) {
        expect(seal.open({ ...good, ephemeral }, CODE), ephemeral).to.equal(null)
      }
      for (const box of ['', 'x', 'ö', good.box.slice(0, 36), good.box.slice(0, -4), `${good.box}AAAA`]) {
        expect(seal.open({ ...good, box }, CODE), box).to.equal(null)
      }
    })
  })
}
