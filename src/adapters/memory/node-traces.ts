import type { NodeTraces } from '#application/ports/node-traces.ts'
import type { MemoryDatabase } from './database.ts'

/** Traces of nodes of one process. */
export function createMemoryNodeTraces({ runs, nodeTraces, run: atomically }: MemoryDatabase): NodeTraces {
  return {
    add: (traces) =>
      atomically(() => {
        for (const trace of traces) {
          const key = JSON.stringify([trace.runId, trace.executionId])
          if (runs.get(trace.runId) === undefined || nodeTraces.get(key) !== undefined) continue
          nodeTraces.set(key, structuredClone(trace))
        }
      }),

    list: (runId, limit) =>
      atomically(() =>
        nodeTraces
          .rows()
          .filter((trace) => trace.runId === runId)
          .toSorted((a, b) => a.index - b.index)
          .slice(0, limit),
      ),

    forget: (cutoffMs, limit) =>
      atomically(() => {
        const old = nodeTraces
          .rows()
          .filter(({ startedAtMs }) => startedAtMs < cutoffMs)
          .slice(0, limit)
        for (const { runId, executionId } of old) nodeTraces.delete(JSON.stringify([runId, executionId]))
        return old.length
      }),
  }
}
