import { expect } from 'chai'
import { fuzz } from '../soak/fuzz.ts'

const COUNT = 5000
const SEED = 20_260_105
const MAX_GROWN_MIB = 32

// The long form is `npm run fuzz`.
describe('requests made up from the OpenAPI document', function () {
  this.timeout(120_000)

  it('A14 A15 five thousand, good ones and mutated: no fault, every answer in the document, nothing kept', async () => {
    const { findings, grownMiB, statuses, reached, operations } = await fuzz({ count: COUNT, seed: SEED })
    expect(findings.join('\n\n')).to.equal('')
    expect(grownMiB, 'MiB kept of the second half').to.be.below(MAX_GROWN_MIB)
    // Else what is behind the doors was not tried.
    expect(reached.length, 'operations that succeeded').to.be.above(0.75 * operations.length)
    for (const status of [200, 302, 400, 401, 403, 404, 405, 409, 413, 415, 422])
      expect(statuses[status] ?? 0, `answers ${status}`).to.be.above(0)
  })
})
