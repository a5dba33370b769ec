import { DomainError } from '#domain/errors.ts'
import type { Mounted } from '../auth/pipeline.ts'
import type { RunControl } from '../ports/run-control.ts'
import type { RunStore } from '../ports/run-store.ts'

export type StopRun = (admitted: Mounted, taskId: string) => Promise<void>

/** Stops one of the caller's own runs of this app; idempotent. @throws DomainError `not_found` for anybody else's */
export function makeStopRun({ runs, runControl }: { runs: RunStore; runControl: RunControl }): StopRun {
  return async ({ app, caller }, taskId) => {
    const run = await runs.findByTask(taskId)
    const own = run?.appId === app.id && run.owner.kind === caller.owner.kind && run.owner.id === caller.owner.id
    if (!own) throw new DomainError('not_found', {})
    await runControl.stop(taskId, 'user')
  }
}
