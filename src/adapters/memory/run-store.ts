import type { RunStore } from '#application/ports/run-store.ts'
import { NO_USAGE } from '#domain/run.ts'
import type { MemoryDatabase } from './database.ts'

const NOTHING = { outputs: {}, error: null, usage: NO_USAGE, totalSteps: 0, exceptionsCount: 0 }

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

    endAbandoned: (atMs) =>
      database.run(() => {
        for (const run of runs.rows()) {
          if (run.status !== 'running') continue
          const elapsedS = Math.max(0, (atMs - run.createdAtMs) / 1000)
          const result = { ...NOTHING, status: 'stopped' as const, elapsedS, finishedAtMs: atMs }
          runs.set(run.id, { ...run, status: result.status, result })
        }
      }),

    find: (runId) => database.run(() => runs.get(runId) ?? null),

    findByTask: (taskId) => database.run(() => runs.rows().find((run) => run.taskId === taskId) ?? null),
  }
}
