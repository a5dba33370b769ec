import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { RunControl } from '../ports/run-control.ts'
import type { RunLog } from '../ports/run-log.ts'
import type { RunSlots } from '../ports/run-slots.ts'
import type { RunStore } from '../ports/run-store.ts'
import type { Underway } from './carry-run.ts'
import type { ExpireForms } from './expire-forms.ts'

type Needs = {
  runs: RunStore
  runSlots: RunSlots
  runLog: RunLog
  runControl: RunControl
  underway: Underway
  expireForms: ExpireForms
  log: Log
  now: Clock
}

/** Six turns of whoever tends; a process that is silent for so long is taken for dead. */
const LEASE_MS = 60_000

/**
 * To be done every ten seconds: says which runs this process carries, ends those that nobody carries any
 * more, and lets those go on whose forms nobody answered in time.
 */
export type TendRuns = () => Promise<void>

export function makeTendRuns({ runs, runSlots, runLog, runControl, underway, expireForms, log, now }: Needs): TendRuns {
  return async () => {
    const carried = [...underway.values()]
    if (carried.length > 0) {
      const open = new Set(await runs.renew(carried.map(({ runId }) => runId)))
      // This process was silent for too long, and another has ended its run: nobody would see what it still does.
      for (const { runId, taskId } of carried) if (!open.has(runId)) await runControl.stop(taskId, 'shutdown')
      await runSlots.renew(carried)
    }
    for (const runId of await runs.endAbandoned(now(), LEASE_MS)) {
      log.warn('a run was left by its process', { runId })
      await runLog.close(runId)
    }
    await expireForms()
  }
}
