import type { Clock } from '../ports/clock.ts'
import type { NodeTraces } from '../ports/node-traces.ts'

type Needs = { nodeTraces: NodeTraces; now: Clock; settings: { readonly traceRetentionDays: number } }

/** Deletes traces that are older than they are kept for, and tells how many; ends early when `signal` fires. */
export type PruneTraces = (signal?: AbortSignal) => Promise<number>

const DAY_MS = 86_400_000
const BATCH = 500

export function makePruneTraces({ nodeTraces, now, settings }: Needs): PruneTraces {
  return async (signal) => {
    const cutoffMs = now() - settings.traceRetentionDays * DAY_MS
    let nodes = 0
    for (let batch = BATCH; batch === BATCH && signal?.aborted !== true; nodes += batch) {
      batch = await nodeTraces.forget(cutoffMs, BATCH)
    }
    return nodes
  }
}
