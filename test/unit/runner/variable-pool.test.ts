import { expect } from 'chai'
import { addTo, resolve, type VariablePool } from '#adapters/runner-native/graph/variable-pool.ts'

describe('variables of a run', () => {
  it('what a node said is added in place, and replaces what it said before', () => {
    const pool: VariablePool = { sys: { query: 'hello' } }
    addTo(pool, 'a', { text: 'one' })
    addTo(pool, 'a', { text: 'two' })
    expect(pool).to.deep.equal({ sys: { query: 'hello' }, a: { text: 'two' } })
  })

  // An app file names its nodes: one called like a property of every object must not become one.
  it('a node called __proto__ is a node like any other', () => {
    const pool: VariablePool = {}
    addTo(pool, '__proto__', { text: 'mine' })
    expect(resolve(pool, ['__proto__', 'text'])).to.equal('mine')
    expect(resolve(pool, ['text', 'length'])).to.equal(undefined)
    expect(Object.getPrototypeOf(pool)).to.equal(Object.prototype)
  })
})
