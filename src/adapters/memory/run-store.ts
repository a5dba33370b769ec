import type { RunStore } from '#application/ports/run-store.ts'
import type { MemoryDatabase } from './database.ts'

/** Runs of one process. */
export function createMemoryRunStore(database: MemoryDatabase): RunStore {
  const { runs } = database
  return {
    start: (run) => database.run(() => runs.set(run.id, { ...run, result: null })),

    finish: (runId, result) =>
      database.run(() => {
        const run = runs.get(runId)
        if (run === undefined || (run.status !== 'running' && run.status !== 'paused')) return false
        runs.set(runId, { ...run, status: result.status, result })
        return true
      }),

    find: (runId) => database.run(() => runs.get(runId) ?? null),

    findByTask: (taskId) => database.run(() => runs.rows().find((run) => run.taskId === taskId) ?? null),
  }
}
