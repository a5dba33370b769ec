import { expect } from 'chai'
import { grants, type Scope } from '#domain/scope.ts'

const SCOPES: readonly Scope[] = ['full', 'apps:read', 'apps:run', 'apps:read:permitted']

describe('scopes', () => {
  for (const required of SCOPES) {
    it(`B02 full passes ${required}, B03 so does itself, and nothing else does`, () => {
      expect(grants(['full'], required)).to.equal(true)
      expect(grants([required], required)).to.equal(true)
      expect(grants([], required)).to.equal(false)
      const others = SCOPES.filter((scope) => scope !== required && scope !== 'full')
      expect(grants(others, required)).to.equal(false)
      expect(grants([...others, required], required)).to.equal(true)
    })
  }

  it('B04b apps:read:permitted is no apps:read, although it begins like it', () => {
    expect(grants(['apps:run', 'apps:read:permitted'], 'apps:read')).to.equal(false)
  })
})
