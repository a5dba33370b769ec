import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { drawUserCode, normaliseUserCode, USER_CODE_ALPHABET } from '#domain/user-code.ts'

const DRAWS = 1_000_000
const FORM = new RegExp(`^[${USER_CODE_ALPHABET}]{4}-[${USER_CODE_ALPHABET}]{4}$`)

describe('user codes', () => {
  it('E02 a million codes have the right form, and every letter is as likely at every position', function () {
    this.timeout(60_000)
    // One system call a code would take most of the test's time.
    let pool = Buffer.alloc(0)
    const draw = (count: number) => {
      if (pool.length < count) pool = randomBytes(1 << 16)
      const bytes = pool.subarray(0, count)
      pool = pool.subarray(count)
      return bytes
    }
    const size = USER_CODE_ALPHABET.length
    const counts = Array.from({ length: 9 }, () => new Map<string, number>())
    let misshapen = 0
    for (let at = 0; at < DRAWS; at++) {
      const code = drawUserCode(draw)
      if (!FORM.test(code)) misshapen++
      for (const [position, letter] of [...code].entries()) {
        const seen = counts[position]
        seen?.set(letter, (seen.get(letter) ?? 0) + 1)
      }
    }
    expect(misshapen).to.equal(0)
    const expected = DRAWS / size
    for (const [position, seen] of counts.entries()) {
      if (position === 4) continue
      let chiSquare = 0
      for (const letter of USER_CODE_ALPHABET) chiSquare += ((seen.get(letter) ?? 0) - expected) ** 2 / expected
      // 29 degrees of freedom: a fair draw exceeds 85 about once in ten million; `byte % 30` gives thousands.
      expect(chiSquare, `position ${position}`).to.be.below(85)
    }
  })

  it('E02 the alphabet has thirty letters, and none that look alike', () => {
    expect(new Set(USER_CODE_ALPHABET).size).to.equal(30)
    for (const letter of '01IO2Z') expect(USER_CODE_ALPHABET, letter).not.to.contain(letter)
  })

  it('E02 bytes of the biased tail are thrown away, and more are drawn', () => {
    const rounds = [Buffer.alloc(16, 255), Buffer.alloc(16, 240), Buffer.alloc(16, 239)]
    const code = drawUserCode(() => rounds.shift() ?? Buffer.alloc(16))
    expect(code).to.equal('9999-9999')
    expect(rounds).to.have.length(0)
  })

  it('E20 what people type is understood: case, spaces, any dash or none', () => {
    for (const typed of [
      'ABCD-EFGH',
      'abcd-efgh',
      'abcdefgh',
      ' abcd efgh ',
      'ab cd ef gh',
      'abcd\u2013efgh',
      'abcd\u2010efgh',
      'a-b-c-d-e-f-g-h',
      '\tABCD\u00a0EFGH\n',
    ]) {
      expect(normaliseUserCode(typed), JSON.stringify(typed)).to.equal('ABCD-EFGH')
    }
  })

  it('E20 what can be no code is none', () => {
    for (const typed of [
      '',
      'ABCD-EFG',
      'ABCD-EFGHJ',
      'ABCD-EFG0',
      'ABCD-EFGI',
      'ABCD_EFGH',
      'ABCDEFG\u00df',
      '\0'.repeat(8),
    ]) {
      expect(normaliseUserCode(typed), JSON.stringify(typed)).to.equal(null)
    }
  })
})
