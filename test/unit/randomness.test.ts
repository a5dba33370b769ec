import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { randomBytes } from '#adapters/crypto/random.ts'

const ROOT = join(import.meta.dirname, '../..')

describe('randomness', () => {
  it('no module of ours draws from Math.random', () => {
    const files = globSync(['src/**/*.ts', 'web/**/*.js'], { cwd: ROOT })
    expect(files.length).to.be.greaterThan(100)
    // What an app's own code may call is the sandbox's to offer.
    const guilty = files.filter(
      (file) => !/\/(code|rehearsal)\//.test(file) && /Math\.random/.test(readFileSync(join(ROOT, file), 'utf8')),
    )
    expect(guilty).to.deep.equal([])
  })

  it('a hundred thousand device codes of 192 bits are all different, and every bit is as often set', () => {
    const draws = 100_000
    const seen = new Set<string>()
    const set = new Uint32Array(192)
    for (let draw = 0; draw < draws; draw++) {
      const bytes = randomBytes(24)
      seen.add(Buffer.from(bytes).toString('base64url'))
      for (let bit = 0; bit < 192; bit++) if (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1) set[bit] = (set[bit] ?? 0) + 1
    }
    expect(seen.size).to.equal(draws)
    // Seven standard deviations: a fair coin is further off once in 4·10¹¹.
    for (const count of set) expect(Math.abs(count - draws / 2)).to.be.below(7 * Math.sqrt(draws / 4))
  })
})
