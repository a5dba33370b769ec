import { PostgreSqlPlatform } from '@mikro-orm/postgresql'
import { expect } from 'chai'
import fc from 'fast-check'
import { quoteAtOnce } from '#adapters/postgres/quote-at-once.ts'

describe('values in statements of SQL', () => {
  // A quote that ends a literal early is an injection.
  it('are quoted exactly as the ORM quotes them, whatever they are', () => {
    const [theirs, ours] = [new PostgreSqlPlatform(), new PostgreSqlPlatform()]
    quoteAtOnce(ours)
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom("'", '\\', 'E', '?', '$', '&', '`', '\n', 'ü', '\ud83d', 'a') }),
      fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.string()), fc.object()),
    )
    fc.assert(
      fc.property(value, (one) => {
        expect(ours.quoteValue(one)).to.equal(theirs.quoteValue(one))
      }),
      { numRuns: 2000 },
    )
  })
})
