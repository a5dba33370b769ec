import { expect } from 'chai'
import { endOfTurn } from '#adapters/http/end-of-turn.ts'

describe('the end of a turn', () => {
  it('is one for all that wait in it, and comes after all that was ready', async () => {
    const told: string[] = []
    const first = endOfTurn().then(() => told.push('first'))
    expect(endOfTurn()).to.equal(endOfTurn())
    await Promise.resolve()
    await new Promise<void>((resolve) => process.nextTick(resolve))
    expect(told).to.deep.equal([])
    await first
    expect(told).to.deep.equal(['first'])
  })

  it('is another one in the next turn', async () => {
    const one = endOfTurn()
    await one
    expect(endOfTurn()).to.not.equal(one)
    await endOfTurn()
  })
})
