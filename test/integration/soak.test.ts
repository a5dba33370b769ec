import { expect } from 'chai'
import { FAULTS } from '../soak/faults.ts'
import { seededRandom } from '../soak/random.ts'
import { soak } from '../soak/soak.ts'
import { ownRedisSuite } from '../support/own-redis.ts'
import { services } from '../support/services.ts'

const SEED = 20_260_105

// The long form is `npm run soak`.
ownRedisSuite('replicas under load to which every fault happens once', function () {
  this.timeout(180_000)

  it('L02 no code is redeemed twice, no revoke is undone, no device has two tokens, and the audit has it all; uploads are kept whole or not at all', async function () {
    // It breaks a database of its own.
    if (services.postgres === null) return this.skip()
    const random = seededRandom(SEED)
    const names = Object.keys(FAULTS)
      .map((name) => ({ name, at: random.unit() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ name }) => name)
    const { violations, faults, requests } = await soak({
      seed: SEED,
      replicas: 3,
      devices: 12,
      faults: names,
      isOver: () => false,
    })
    expect(violations).to.deep.equal([])
    expect(Object.keys(faults)).to.deep.equal(names)
    for (const what of ['approve', 'deny', 'poll', 'use', 'revoke', 'run', 'upload'])
      expect(requests[`${what} done`] ?? 0, what).to.be.above(0)
  })
})
