import { expect } from 'chai'
import { createMemoryRunControl } from '#adapters/memory/run-control.ts'
import { createMemoryRunLog } from '#adapters/memory/run-log.ts'
import { createMemoryRunSlots } from '#adapters/memory/run-slots.ts'
import type { Underway } from '#application/use-cases/carry-run.ts'
import { makeTendRuns } from '#application/use-cases/tend-runs.ts'
import { fakeClock } from '../support/clock.ts'

/** A process that carries `one` and `two`; `open` of them have not ended, and `left` are another's. */
function tending({ open, left }: { readonly open: readonly string[]; readonly left: readonly string[] }) {
  const clock = fakeClock()
  const runControl = createMemoryRunControl()
  const runLog = createMemoryRunLog(clock)
  const runSlots = createMemoryRunSlots()
  const underway: Underway = new Map(
    ['one', 'two'].map((id) => [id, { runId: id, taskId: `task-${id}`, workspaceId: 'w' }]),
  )
  const signals = ['one', 'two'].map((id) => runControl.carry(`task-${id}`).signal)
  const asked: (number | null)[] = []
  const lines: string[] = []
  const line = (message: string) => void lines.push(message)
  const runs = {
    start: async () => {},
    finish: async () => true,
    find: async () => null,
    renew: async (ids: readonly string[]) => ids.filter((id) => open.includes(id)),
    endAbandoned: async (_atMs: number, silentMs: number | null) => {
      asked.push(silentMs)
      return left
    },
  }
  const log = { info: line, warn: line, error: line }
  const tend = makeTendRuns({
    runs,
    runSlots,
    runLog,
    runControl,
    underway,
    expireForms: async () => {},
    log,
    now: clock.now,
  })
  return { tend, signals, asked, lines, runLog, runSlots }
}

describe('tending runs', () => {
  it('stops a run of this process that another has ended meanwhile, and no other', async () => {
    const { tend, signals, asked } = tending({ open: ['one'], left: [] })
    await tend()
    expect(signals.map(({ aborted }) => aborted)).to.deep.equal([false, true])
    // Never all of them: others carry theirs.
    expect(asked).to.deep.equal([60_000])
  })

  it('keeps the slots of what is carried', async () => {
    const { tend, runSlots } = tending({ open: ['one', 'two'], left: [] })
    await tend()
    expect(await runSlots.take({ workspaceId: 'w', runId: 'three' }, 2)).to.equal(false)
  })

  it('ends the readers of a run that its process left, and says so', async () => {
    const { tend, lines, runLog } = tending({ open: ['one', 'two'], left: ['lost'] })
    const reading = runLog.read('lost', 1, new AbortController().signal)[Symbol.asyncIterator]().next()
    await tend()
    expect((await reading).done).to.equal(true)
    expect(lines).to.deep.equal(['a run was left by its process'])
  })
})
