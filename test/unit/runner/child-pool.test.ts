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

async function faultOf(child: Child): Promise<unknown> {
  const { timer } = fakeClock()
  const pool = createChildPool({ start: () => child, timer, size: 1, timeoutMs: 1000 })
  return pool.submit({ kind: 'template', template: '', variables: {} }, 'any', new AbortController().signal)
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
})
