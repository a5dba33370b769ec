import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Load, loadTable, simulate } from '../../bench/support/simulated-load.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/scale.md'), 'utf8')

describe('the simulation of docs/scale.md', function () {
  this.timeout(30_000)
  let loads: readonly Load[]
  before(() => {
    loads = simulate(1)
  })

  it('gives the table that the page shows', () => {
    const shown = /<!-- simulated: begin -->\n([\s\S]*?)\n<!-- simulated: end -->/.exec(page)?.[1]
    expect(shown).to.equal(loadTable(loads, 100_000))
  })

  it('admits whoever keeps to the limit, and a loop sixty times', () => {
    const [people, scripts, loops] = loads
    expect([people?.admitted, scripts?.admitted]).to.deep.equal([1, 1])
    expect(loops?.admitted).to.be.closeTo(60 / 1200, 0.005)
  })

  it('asks the store for a loop at most once a second and replica', () => {
    const [, , loops] = loads
    // Of twenty calls a second over eight replicas: eight at most, and what is admitted.
    expect(loops?.asked).to.be.below(8 / 20 + 60 / 1200)
  })

  it('refills for every first use of a minute, and for no other', () => {
    const [people, scripts] = loads
    expect(scripts?.refilled).to.be.closeTo(2 / 3, 0.01)
    expect(people?.refilled).to.be.within(1 / 12, 2 / 12)
  })
})
