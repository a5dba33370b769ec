import { expect } from 'chai'
import { pageOf } from '#domain/page.ts'

describe('pages', () => {
  const hasMore = (page: number, limit: number, total: number) => pageOf({ page, limit }, total, []).hasMore

  it('G08 there is more while page times limit is below the total', () => {
    expect(hasMore(1, 20, 42)).to.equal(true)
    expect(hasMore(2, 20, 22)).to.equal(false)
    expect(hasMore(2, 20, 40)).to.equal(false)
    expect(hasMore(2, 20, 41)).to.equal(true)
    expect(hasMore(3, 20, 42)).to.equal(false)
    expect(hasMore(1, 20, 0)).to.equal(false)
  })

  it('G08 a page carries what was asked for and what was found', () => {
    expect(pageOf({ page: 3, limit: 20 }, 42, ['a', 'b'])).to.deep.equal({
      page: 3,
      limit: 20,
      total: 42,
      hasMore: false,
      data: ['a', 'b'],
    })
  })
})
