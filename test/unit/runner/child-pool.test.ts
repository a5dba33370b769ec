import { expect } from 'chai'
import { createChildPool } from '#adapters/runner-native/code/child-pool.ts'
import type { Child } from '#adapters/runner-native/code/sandbox-process.ts'
import { fakeClock } from '../../support/clock.ts'

/** A child that dies: before it takes a job, or over the first. */
function aChild({ starts }: { starts: boolean }): Child {
  return {
    ready: Promise.resolve(starts),
    gone: Promise.resolve(),
    isAlive: () => false,
    ask: async () => null,
    kill: () => {},
  }
}

/** A child that does what it is asked until it is killed. */
function aLastingChild(): Child & { readonly jobs: () => number } {
  let [alive, jobs] = [true, 0]
  return {
    ...aChild({ starts: true }),
    jobs: () => jobs,
    isAlive: () => alive,
    ask: async () => {
      jobs += 1
      return { id: jobs, said: { ok: true, text: 'done' }, spent: false }
    },
    kill: () => {
      alive = false
    },
  }
}

const work = { kind: 'template', template: '', variables: {} } as const
const never = new AbortController().signal

async function faultOf(child: Child): Promise<unknown> {
  const { timer } = fakeClock()
  const pool = createChildPool({ start: () => child, timer, size: 1, timeoutMs: 1000 })
  return pool.submit(work, 'any', never)
}

function aPool(size: number) {
  const { timer } = fakeClock()
  const started: ReturnType<typeof aLastingChild>[] = []
  const start = () => {
    const child = aLastingChild()
    started.push(child)
    return child
  }
  return { started, pool: createChildPool({ start, timer, size, timeoutMs: 1000 }) }
}

describe('the pool of sandboxes', () => {
  // Blaming the author's code for a broken installation sends them looking in the wrong place.
  it('tells a sandbox that does not start from code that eats memory', async () => {
    expect(await faultOf(aChild({ starts: false }))).to.deep.equal({
      ok: false,
      error: 'the server could not start its sandbox',
    })
    expect(await faultOf(aChild({ starts: true }))).to.deep.equal({ ok: false, error: 'it used too much memory' })
  })

  it('gives work to the child that was started for it, of which there is one however often it is expected', async () => {
    const { pool, started } = aPool(2)
    for (const _ of [1, 2]) pool.expect('app')
    const working = pool.submit(work, 'app', never)
    pool.expect('app')
    await working
    pool.expect('app')
    expect(started.map((child) => child.jobs())).to.deep.equal([1])
    expect(pool.state()).to.deep.equal({ busy: 0, idle: 1, waiting: 0 })
  })

  // Otherwise many apps that start at once would end each other's children before any of them did a thing.
  it('starts nothing for what is only expected at the cost of another child', async () => {
    const { pool, started } = aPool(2)
    for (const app of ['one', 'two', 'three']) pool.expect(app)
    expect(started.map((child) => child.isAlive())).to.deep.equal([true, true])
    await pool.submit(work, 'three', never)
    expect(started.map((child) => child.isAlive())).to.deep.equal([false, true, true])
  })

  it('starts another for a child that has died at rest', () => {
    const { pool, started } = aPool(2)
    for (const _ of [1, 2, 3]) {
      pool.expect('app')
      started.at(-1)?.kill()
    }
    pool.expect('app')
    expect(started).to.have.length(4)
    expect(pool.state().idle).to.equal(1)
  })

  it('ends what was only expected when it closes, and starts nothing then', async () => {
    const { pool, started } = aPool(2)
    pool.expect('app')
    await pool.close()
    pool.expect('other')
    expect(started.map((child) => child.isAlive())).to.deep.equal([false])
  })
})
