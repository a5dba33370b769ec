import { expect } from 'chai'
import { createMemoryRunControl } from '#adapters/memory/run-control.ts'
import { createMemoryRunLog } from '#adapters/memory/run-log.ts'
import { createMemoryRunSlots } from '#adapters/memory/run-slots.ts'
import type { RunEvent, RunStep } from '#domain/run.ts'
import { runControlContract } from '../contract/run-control.ts'
import { runLogContract } from '../contract/run-log.ts'
import { runSlotsContract } from '../contract/run-slots.ts'
import { fakeClock } from '../support/clock.ts'
import { anEnding, aText } from '../support/run-steps.ts'

runControlContract('memory', createMemoryRunControl)

runSlotsContract('memory', () => {
  const slots = createMemoryRunSlots()
  return [slots, slots]
})

runLogContract('memory', () => {
  const clock = fakeClock()
  return { log: createMemoryRunLog(clock), clock }
})

describe('memory run control', () => {
  it('stops every run when the process stops', async () => {
    const control = createMemoryRunControl()
    const runs = ['a', 'b'].map((id) => control.carry(id))
    const all = control.stopAll('shutdown')
    expect(runs.map(({ signal }) => signal.reason)).to.deep.equal(['shutdown', 'shutdown'])
    for (const { done } of runs) done()
    await all
  })

  // Closing the database under a run that nobody reads would leave it running for ever.
  it('a stop waits for the last run to store its ending, and stops what begins meanwhile', async () => {
    const control = createMemoryRunControl()
    const told: string[] = []
    const first = control.carry('a')
    const all = control.stopAll('shutdown').then(() => told.push('all'))
    const late = control.carry('b')
    expect(late.signal.reason).to.equal('shutdown')
    first.done()
    await new Promise(setImmediate)
    told.push('late')
    late.done()
    await all
    expect(told).to.deep.equal(['late', 'all'])
    await control.stopAll('shutdown')
  })
})

describe('memory run log', () => {
  const never = () => new AbortController().signal
  const turn = () => new Promise(setImmediate)

  /** A reader that takes one event when asked, as a slow connection does. */
  function slowly(events: AsyncIterable<RunEvent>) {
    const iterator = events[Symbol.asyncIterator]()
    return { take: () => iterator.next(), hangUp: () => iterator.return?.() }
  }

  /** Whether `work` has resolved after all that can happen now has happened. */
  async function isDone(work: Promise<unknown>): Promise<boolean> {
    let done = false
    void work.then(() => {
      done = true
    })
    await turn()
    return done
  }

  async function fill(log: ReturnType<typeof createMemoryRunLog>, count: number, delta = 'x') {
    for (let at = 0; at < count; at++) await log.append('r', aText(delta), { pace: true })
  }

  it('H12 a paced run waits for a reader 256 events behind, and goes on as it reads', async () => {
    const log = createMemoryRunLog(fakeClock())
    const reader = slowly(log.read('r', 1, never()))
    const first = reader.take()
    await fill(log, 256)
    await first
    const waiting = log.append('r', aText('x'), { pace: true })
    expect(await isDone(waiting)).to.equal(false)
    await reader.take()
    expect(await isDone(waiting)).to.equal(true)
  })

  it('H12 a paced run waits for a reader a mebibyte behind', async () => {
    const log = createMemoryRunLog(fakeClock())
    const reader = slowly(log.read('r', 1, never()))
    const first = reader.take()
    await fill(log, 3, 'x'.repeat(300_000))
    await first
    const waiting = log.append('r', aText('x'.repeat(300_000)), { pace: true })
    expect(await isDone(waiting)).to.equal(false)
    await reader.take()
    expect(await isDone(waiting)).to.equal(true)
  })

  // Pieces of one letter would weigh next to nothing by their letters alone.
  it('H12 a row of pieces weighs what its ends weigh too', async () => {
    const log = createMemoryRunLog(fakeClock())
    const reader = slowly(log.read('r', 1, never()))
    const first = reader.take()
    await fill(log, 2)
    await first
    const ends = Array.from({ length: 150_000 }, (_, at) => at + 1)
    const row: RunStep = { kind: 'text', delta: 'x'.repeat(ends.length), fromSelector: null, ends }
    const waiting = log.append('r', row, { pace: true })
    expect(await isDone(waiting)).to.equal(false)
    await reader.take()
    await reader.take()
    void reader.take()
    expect(await isDone(waiting)).to.equal(true)
  })

  it('a reader that hangs up or is aborted no longer holds the run', async () => {
    for (const leave of ['hang up', 'abort'] as const) {
      const log = createMemoryRunLog(fakeClock())
      const controller = new AbortController()
      const reader = slowly(log.read('r', 1, controller.signal))
      const first = reader.take()
      await fill(log, 256)
      await first
      const waiting = log.append('r', aText('x'), { pace: true })
      expect(await isDone(waiting), leave).to.equal(false)
      if (leave === 'hang up') await reader.hangUp()
      else controller.abort()
      expect(await isDone(waiting), leave).to.equal(true)
    }
  })

  it('a reader that takes nothing for 30 s of a paced run is cut', async () => {
    const clock = fakeClock()
    const log = createMemoryRunLog(clock)
    const reader = slowly(log.read('r', 1, never()))
    const first = reader.take()
    await fill(log, 256)
    await first
    const waiting = log.append('r', aText('x'), { pace: true })
    clock.advance(29_999)
    expect(await isDone(waiting)).to.equal(false)
    clock.advance(1)
    expect(await isDone(waiting)).to.equal(true)
    expect((await reader.take()).done).to.equal(true)
  })

  it('an ending is never held up', async () => {
    const log = createMemoryRunLog(fakeClock())
    const reader = slowly(log.read('r', 1, never()))
    const first = reader.take()
    await fill(log, 256)
    await first
    expect(await isDone(log.append('r', anEnding(), { pace: true }))).to.equal(true)
  })

  it('H12 a free run keeps its newest events and cuts only readers who need older ones', async () => {
    const log = createMemoryRunLog({ ...fakeClock(), maxRunSize: 100_000 })
    const slow = slowly(log.read('r', 1, never()))
    const first = slow.take()
    const near: number[] = []
    const reading = (async () => {
      for await (const { seq } of log.read('r', 1, never())) near.push(seq)
    })()
    for (let at = 0; at < 1000; at++) {
      await log.append('r', aText('x'.repeat(1000)), { pace: false })
      await turn()
    }
    await log.append('r', anEnding(), { pace: false })
    await reading
    expect(near).to.have.length(1001)
    expect((await first).value?.seq).to.equal(1)
    expect((await slow.take()).done).to.equal(true)
    expect((await slowly(log.read('r', 1, never())).take()).done).to.equal(true)
    expect((await slowly(log.read('r', 1000, never())).take()).value?.seq).to.equal(1000)
  })

  it('an ending larger than the whole log cuts nobody who has yet to read what came before it', async () => {
    const log = createMemoryRunLog({ ...fakeClock(), maxRunSize: 1000 })
    await log.append('r', aText('first'), { pace: false })
    const reading = slowly(log.read('r', 1, never()))
    await reading.take()
    await log.append('r', aText('second'), { pace: false })
    await log.append('r', anEnding('x'.repeat(5000)), { pace: false })
    const kinds = [await reading.take(), await reading.take()].map(({ value }) => value?.kind)
    expect(kinds).to.deep.equal(['text', 'succeeded'])
  })

  it('an ending larger than the whole log is still told', async () => {
    const log = createMemoryRunLog({ ...fakeClock(), maxRunSize: 1000 })
    await log.append('r', anEnding('x'.repeat(5000)), { pace: false })
    expect((await slowly(log.read('r', 1, never())).take()).value?.kind).to.equal('succeeded')
  })

  it('a closed run can be read for ten minutes, and is gone then', async () => {
    const clock = fakeClock()
    const log = createMemoryRunLog(clock)
    await log.append('r', anEnding(), { pace: false })
    await log.close('r')
    clock.advance(599_999)
    expect((await slowly(log.read('r', 1, never())).take()).done).to.equal(false)
    clock.advance(1)
    const gone = new AbortController()
    const late = slowly(log.read('r', 1, gone.signal)).take()
    expect(await isDone(late)).to.equal(false)
    gone.abort()
    expect((await late).done).to.equal(true)
  })

  it('runs closed longest ago make room for new ones', async () => {
    const log = createMemoryRunLog({ ...fakeClock(), maxTotalSize: 25_000 })
    for (const run of ['a', 'b', 'c']) {
      await log.append(run, aText('x'.repeat(10_000)), { pace: false })
      await log.close(run)
    }
    const kept = async (run: string) => {
      const controller = new AbortController()
      const take = slowly(log.read(run, 1, controller.signal)).take()
      await turn()
      controller.abort()
      return (await take).done !== true
    }
    expect(await kept('a')).to.equal(false)
    expect(await kept('b')).to.equal(true)
    expect(await kept('c')).to.equal(true)
  })
})
