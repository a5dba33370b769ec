import { expect } from 'chai'
import { type Check, makeCheckReadiness } from '#application/use-cases/check-readiness.ts'
import { fakeClock } from '../support/clock.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }

function aReadiness(passes: Partial<Record<Check['name'], Check['passes']>>) {
  const clock = fakeClock(0)
  const names = Object.keys(passes) as Check['name'][] // the parameter's own keys
  const checks = names.map((name) => ({
    name,
    essential: name !== 'redis',
    passes: passes[name] ?? (async () => true),
  }))
  return { clock, ...makeCheckReadiness({ checks, now: clock.now, timer: clock.timer, log: silent }) }
}

describe('whether the server is ready', () => {
  it('names what fails, and tells what it can do without apart', async () => {
    const broken = aReadiness({
      database: async () => Promise.reject(new Error('password authentication failed for "latchkey"')),
      migrations: async () => false,
      redis: async () => false,
    })
    expect(await broken.checkReadiness()).to.deep.equal({ failed: ['database', 'migrations'], degraded: ['redis'] })
    const whole = aReadiness({ database: async () => true, redis: async () => true })
    expect(await whole.checkReadiness()).to.deep.equal({ failed: [], degraded: [] })
  })

  // Probes ask for no token: whoever floods them must not flood the stores.
  it('asks the stores once a second, however many probes come', async () => {
    let asked = 0
    const { checkReadiness, clock } = aReadiness({ database: async () => ++asked > 0 })
    await Promise.all(Array.from({ length: 1000 }, checkReadiness))
    for (let probe = 0; probe < 1000; probe++) await checkReadiness()
    expect(asked).to.equal(1)
    clock.advance(1000)
    await checkReadiness()
    expect(asked).to.equal(2)
  })

  it('takes a store that hangs for one that is down, and asks it nothing more meanwhile', async () => {
    let asked = 0
    const hangs = () => {
      asked += 1
      return new Promise<boolean>(() => {})
    }
    const { checkReadiness, clock } = aReadiness({ database: hangs })
    const first = checkReadiness()
    clock.advance(1500)
    const second = checkReadiness()
    clock.advance(500)
    for (const one of [first, second]) expect((await one).failed).to.deep.equal(['database'])
    expect(asked).to.equal(1)
  })

  it('fails at once when the server is about to stop', async () => {
    const { checkReadiness, drain } = aReadiness({ database: async () => true })
    expect((await checkReadiness()).failed).to.deep.equal([])
    drain()
    expect((await checkReadiness()).failed).to.deep.equal(['draining'])
  })
})
