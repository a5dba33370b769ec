import { expect } from 'chai'
import { compileTemplate } from '#adapters/http/pages/template.ts'
import { wordsIn } from '#adapters/http/pages/words.ts'

describe('page templates', () => {
  // Device labels and names come from strangers and stand beside the Authorize button.
  it('escape every value, in text and in attributes', () => {
    const fill = compileTemplate('<a title="{{v}}">{{v}}</a>')
    expect(fill({ v: `<&>"'` })).to.equal('<a title="&lt;&amp;&gt;&quot;&#39;">&lt;&amp;&gt;&quot;&#39;</a>')
  })

  it('do not read tags in what they are filled with', () => {
    expect(compileTemplate('{{v}}')({ v: '{{secret}}', secret: 'x' })).to.equal('{{secret}}')
  })

  it('show a section when there is something and its opposite when there is nothing', () => {
    const fill = compileTemplate('{{#v}}yes{{/v}}{{^v}}no{{/v}}')
    expect([fill({ v: true }), fill({ v: 'x' }), fill({ v: [{}] })]).to.deep.equal(['yes', 'yes', 'yes'])
    expect([fill({ v: false }), fill({ v: '' }), fill({ v: [] })]).to.deep.equal(['no', 'no', 'no'])
  })

  it('repeat a section for each row, with the values around it still there', () => {
    const fill = compileTemplate('{{#rows}}{{name}}-{{token}} {{/rows}}')
    expect(fill({ rows: [{ name: 'a' }, { name: 'b' }], token: 't' })).to.equal('a-t b-t ')
  })

  it('refuse a value that is missing and a section that is not closed', () => {
    expect(() => compileTemplate('{{v}}')({})).to.throw('no value for v')
    expect(() => compileTemplate('{{#a}}x')).to.throw('a is not closed')
    expect(() => compileTemplate('{{#a}}x{{/b}}')).to.throw('not closed')
    expect(() => compileTemplate('x{{/b}}')).to.throw('not closed')
  })
})

describe('times in words', () => {
  const ages: readonly (readonly [number, string])[] = [
    [0, 'less than a minute ago'],
    [59_999, 'less than a minute ago'],
    [60_000, '1 minute ago'],
    [3_599_999, '59 minutes ago'],
    [7_200_000, '2 hours ago'],
    [86_400_000, '1 day ago'],
    [-5, 'less than a minute ago'],
  ]
  for (const [ms, words] of ages) it(`${ms} ms is ${words}`, () => expect(wordsIn('en').ago(0, ms)).to.equal(words))

  it('rounds a wait up, so that who waits is not refused again', () => {
    expect([1000, 1001, 60_000, 60_001].map(wordsIn('en').wait)).to.deep.equal([
      '1 second',
      '2 seconds',
      '1 minute',
      '2 minutes',
    ])
  })
})
