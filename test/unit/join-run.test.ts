import { expect } from 'chai'
import { createMemoryRunLog } from '#adapters/memory/run-log.ts'
import type { Mounted } from '#application/auth/pipeline.ts'
import type { RunStatus, StoredRun } from '#application/ports/run-store.ts'
import { makeJoinRun } from '#application/use-cases/join-run.ts'
import type { RunEvent, RunStep } from '#domain/run.ts'
import { fakeClock } from '../support/clock.ts'
import { anEnding, aText } from '../support/run-steps.ts'

const OWNER = { kind: 'account', id: 'me' } as const
const STARTED: RunStep = { kind: 'run_started', inputs: { a: 1 }, reason: 'initial' }
const PAUSED: RunStep = {
  kind: 'paused',
  reasons: [],
  usage: { promptTokens: 0, completionTokens: 0, totalTokens: 0 },
  totalSteps: 1,
  elapsedS: 0,
  exceptionsCount: 0,
}

/** One workflow run of one's own, whose status is what the test says. */
function joining(maxRunSize?: number) {
  const clock = fakeClock()
  const runLog = createMemoryRunLog({ ...clock, ...(maxRunSize === undefined ? {} : { maxRunSize }) })
  let status: RunStatus = 'running'
  const run = () =>
    ({
      id: 'run',
      taskId: 'task',
      appId: 'app',
      mode: 'workflow',
      owner: OWNER,
      inputs: { a: 1 },
      createdAtMs: clock.now(),
      result: null,
      answer: null,
      status,
    }) as unknown as StoredRun
  const runs = {
    find: async () => run(),
    start: async () => {},
    finish: async () => true,
    renew: async () => [],
    endAbandoned: async () => [],
  }
  const join = makeJoinRun({ runs, runLog, now: clock.now, timer: clock.timer })
  // Of what the guards established, joining reads no more than this.
  const admitted = { app: { id: 'app' }, caller: { owner: OWNER } } as unknown as Mounted
  const told: string[] = []
  const follow = async (how: { fromStart: boolean; throughPauses: boolean }) => {
    const { events } = await join(admitted, 'run', how, new AbortController().signal)
    for await (const event of events) told.push(inWords(event))
  }
  return {
    clock,
    runLog,
    told,
    follow,
    tell: (step: RunStep) => runLog.append('run', step, { pace: false }),
    becomes(next: RunStatus) {
      status = next
    },
  }
}

function inWords(event: RunEvent): string {
  return event.kind === 'text' ? event.delta.slice(0, 5) : event.kind
}

/** Lets everything happen that needs no time to pass. */
async function settle() {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}

describe('joining a run', () => {
  it('whose beginning was dropped tells what it began with, and all that is yet to come', async () => {
    const { runLog, told, follow, tell } = joining(10_000)
    await runLog.begin('run', { anew: false })
    await tell(STARTED)
    for (let at = 0; at < 20; at++) await tell(aText('old'.repeat(400)))
    const following = follow({ fromStart: true, throughPauses: false })
    await settle()
    await tell(aText('new'))
    await tell(anEnding())
    await following
    expect(told).to.deep.equal(['run_started', 'new', 'succeeded'])
  })

  it('that was just answered waits until its process begins to tell, and goes on to the end', async () => {
    const { clock, runLog, told, follow, tell, becomes } = joining()
    await runLog.begin('run', { anew: false })
    await tell(STARTED)
    const following = follow({ fromStart: true, throughPauses: true })
    await settle()
    clock.advance(5)
    becomes('paused')
    await tell(PAUSED)
    await runLog.close('run')
    await settle()
    // Taken by a process that has yet to begin its log: what lies there is of the part before.
    becomes('running')
    clock.advance(1000)
    await settle()
    await runLog.begin('run', { anew: true })
    await tell({ ...STARTED, reason: 'resumption' })
    await tell(anEnding())
    clock.advance(1000)
    await following
    expect(told).to.deep.equal(['run_started', 'paused', 'run_started', 'succeeded'])
  })
})
