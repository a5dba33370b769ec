import { DomainError } from '#domain/errors.ts'
import { NO_USAGE } from '#domain/run.ts'
import type { Mounted } from '../auth/pipeline.ts'
import type { Clock } from '../ports/clock.ts'
import type { RunControl } from '../ports/run-control.ts'
import type { RunStore } from '../ports/run-store.ts'

type Needs = { runs: RunStore; runControl: RunControl; now: Clock }

const NOTHING = {
  status: 'stopped',
  outputs: {},
  error: null,
  usage: NO_USAGE,
  totalSteps: 0,
  exceptionsCount: 0,
} as const

export type StopRun = (admitted: Mounted, taskId: string) => Promise<void>

/** Stops one of the caller's own runs of this app; idempotent. @throws DomainError `not_found` for anybody else's */
export function makeStopRun({ runs, runControl, now }: Needs): StopRun {
  return async ({ app, caller }, taskId) => {
    const run = await runs.find(taskId)
    const own = run?.appId === app.id && run.owner.kind === caller.owner.kind && run.owner.id === caller.owner.id
    if (!own) throw new DomainError('not_found', {})
    await runControl.stop(run.taskId, 'user')
    // Nobody carries a paused run, and it may have paused only now.
    const after = await runs.find(run.id)
    if (after?.status !== 'paused') return
    await runs.finish(run.id, { ...NOTHING, elapsedS: 0, finishedAtMs: now() })
    // An answer may have let it go on in between.
    await runControl.stop(run.taskId, 'user')
  }
}
