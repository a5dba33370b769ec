import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'

const ROOT = join(import.meta.dirname, '../..')
const DOCUMENTS = ['docs/standards.md', 'docs/security.md']
/** `a file under test/` “the beginning of a title”, “another” */
const CLAIM = /`((?:unit|http|contract|integration|browser|e2e)\/[\w./-]+\.ts)`((?:,? “[^”]+”)*)/g

describe('what the documents claim', () => {
  const decisions = readdirSync(join(ROOT, 'docs/decisions')).map((name) => name.slice(0, 4))

  for (const document of DOCUMENTS) {
    const text = readFileSync(join(ROOT, document), 'utf8')

    it(`${document} names tests that exist`, () => {
      const claims = [...text.matchAll(CLAIM)]
      expect(claims.length).to.be.greaterThan(20)
      for (const [, file = '', titles = ''] of claims) {
        const path = join(ROOT, 'test', file)
        expect(existsSync(path), file).to.equal(true)
        const source = readFileSync(path, 'utf8')
        expect(titles, `${file} is named without a title`).to.not.equal('')
        for (const [, title = ''] of titles.matchAll(/“([^”]+)”/g)) {
          expect(source.includes(title), `${file} “${title}”`).to.equal(true)
        }
      }
      const quoted = [...text.matchAll(/“[^”]+”/g)].length
      const claimed = claims.flatMap(([, , titles = '']) => [...titles.matchAll(/“/g)]).length
      expect(claimed, 'titles that follow no file').to.equal(quoted)
    })

    it(`${document} leaves no line of a table without a test, a decision or a reason`, () => {
      for (const line of text.split('\n').filter((one) => /^\|(?!\s*-|-)/.test(one))) {
        const last = line.split('|').at(-2)?.trim() ?? ''
        expect(last, line).to.not.equal('')
      }
      for (const [, number = ''] of text.matchAll(/(?:;|\|) (00\d\d)\b/g)) expect(decisions).to.include(number)
    })
  }
})
