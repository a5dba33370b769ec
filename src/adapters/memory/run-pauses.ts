import type { RunPause, RunPauses } from '#application/ports/run-pauses.ts'
import type { MemoryDatabase } from './database.ts'

/** Paused runs of one process. */
export function createMemoryRunPauses({ runs, runPauses, run: atomically }: MemoryDatabase): RunPauses {
  const found = (tokenHash: string): RunPause | null => {
    const pause = runPauses.rows().find(({ forms }) => forms.some((one) => one.tokenHash === tokenHash))
    return pause !== undefined && runs.get(pause.ids.runId)?.status === 'paused' ? pause : null
  }
  return {
    put: (pause) =>
      atomically(() => {
        const run = runs.get(pause.ids.runId)
        if (run?.status !== 'running') return false
        runs.set(run.id, { ...run, status: 'paused' })
        runPauses.set(run.id, structuredClone(pause))
        return true
      }),

    find: (tokenHash) => atomically(() => found(tokenHash)),

    expired: (nowMs, limit) =>
      atomically(() =>
        runPauses
          .rows()
          .filter(({ ids }) => runs.get(ids.runId)?.status === 'paused')
          .filter((pause) => firstExpiryMs(pause) <= nowMs)
          .toSorted((a, b) => firstExpiryMs(a) - firstExpiryMs(b))
          .slice(0, limit),
      ),

    take: (tokenHash) =>
      atomically(() => {
        const pause = found(tokenHash)
        const run = pause === null ? undefined : runs.get(pause.ids.runId)
        if (pause === null || run === undefined) return null
        runPauses.delete(run.id)
        runs.set(run.id, { ...run, status: 'running' })
        return pause
      }),
  }
}

function firstExpiryMs({ forms }: RunPause): number {
  return Math.min(...forms.map(({ form }) => form.expiresAtMs))
}
