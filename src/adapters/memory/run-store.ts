import type { RunStatus, RunStore } from '#application/ports/run-store.ts'
import { NO_USAGE } from '#domain/run.ts'
import type { MemoryDatabase } from './database.ts'

const NOTHING = { outputs: {}, error: null, usage: NO_USAGE, totalSteps: 0, exceptionsCount: 0 }

const isOpen = (status: RunStatus | undefined) => status === 'running' || status === 'paused'

/** Runs of one process. */
export function createMemoryRunStore(database: MemoryDatabase): RunStore {
  const { runs, messages } = database
  const answerOf = (messageId: string) => messages.get(messageId)?.answer ?? null
  return {
    start: (run) => database.run(() => runs.set(run.id, { ...run, result: null })),

    finish: (runId, result) =>
      database.run(() => {
        const run = runs.get(runId)
        if (run === undefined || (run.status !== 'running' && run.status !== 'paused')) return false
        runs.set(runId, { ...run, status: result.status, result })
        return true
      }),

    renew: (runIds) => database.run(() => runIds.filter((id) => isOpen(runs.get(id)?.status))),

    endAbandoned: (atMs, silentMs) =>
      database.run(() => {
        // Whoever carries a run here is the process that asks.
        if (silentMs !== null) return []
        const abandoned = runs.rows().filter(({ status }) => status === 'running')
        for (const run of abandoned) {
          const elapsedS = Math.max(0, (atMs - run.createdAtMs) / 1000)
          const result = { ...NOTHING, status: 'stopped' as const, elapsedS, finishedAtMs: atMs }
          runs.set(run.id, { ...run, status: result.status, result })
        }
        return abandoned.map(({ id }) => id)
      }),

    find: (id) =>
      database.run(() => {
        const run = runs.get(id) ?? runs.rows().find(({ taskId }) => taskId === id)
        return run === undefined ? null : { ...run, answer: answerOf(run.messageId) }
      }),
  }
}
