import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { english } from '#adapters/http/pages/text-en.ts'
import { simplifiedChinese } from '#adapters/http/pages/text-zh-hans.ts'
import { wordsIn } from '#adapters/http/pages/words.ts'
import { passwordFault } from '#domain/password-policy.ts'

const ROOT = join(import.meta.dirname, '../..')
const sourcesIn = (folder: string) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => !name.startsWith('text-'))
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8'))
    .join('\n')

describe('the texts of the pages', () => {
  it('say the same things in every language, with the same values', () => {
    expect(Object.keys(simplifiedChinese)).to.deep.equal(Object.keys(english))
    const values = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([value]) => value).toSorted()
    for (const [key, text] of Object.entries(english)) {
      const chinese = simplifiedChinese[key as keyof typeof english] // a key of the very object
      expect(values(chinese), key).to.deep.equal(values(text))
      expect(chinese, key).to.match(/\p{Script=Han}/u)
    }
  })

  it('are all said somewhere', () => {
    const sources = sourcesIn('web') + sourcesIn('src/adapters/http/pages')
    const unsaid = Object.keys(english).filter((key) => !new RegExp(`[=@~'"]${key}['"}]`).test(sources))
    expect(unsaid).to.deep.equal([])
  })

  it('stand in the catalogue alone: no template has words of its own', () => {
    for (const name of readdirSync(join(ROOT, 'web')).filter((one) => one.endsWith('.html'))) {
      const html = readFileSync(join(ROOT, 'web', name), 'utf8')
      const text = html.replaceAll(/<!--[\s\S]*?-->|<[^>]*>|\{\{[^}]*\}\}/g, ' ')
      expect(text.replaceAll(/[\s·.]/g, ''), name).to.equal('')
    }
  })

  it('have a sentence for each fault of a password', () => {
    const faults = ['x', 'x'.repeat(257), '12345678', 'abcdefgh'].map(passwordFault)
    const pages = sourcesIn('src/adapters/http/pages')
    for (const fault of faults) expect(pages).to.contain(`'${fault}':`)
  })

  it('fill values in as they are', () => {
    expect(wordsIn('en').say('problem.wait', { wait: '$& {wait} $1' })).to.equal('Wait $& {wait} $1, then try again.')
  })

  it('write times and countries as the language does', () => {
    const chinese = wordsIn('zh-Hans')
    expect(chinese.ago(0, 120_000)).to.equal('2分钟前')
    expect(chinese.wait(300_000)).to.equal('5分钟')
    expect(chinese.instant(0)).to.contain('1970年1月1日')
    expect([chinese.country('NL'), wordsIn('en').country('NL')]).to.deep.equal(['荷兰', 'Netherlands'])
    expect(['<b>', 'ZZZ'].map(wordsIn('en').country)).to.deep.equal(['<b>', 'ZZZ'])
  })
})
