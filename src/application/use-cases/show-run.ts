import type { NodeTrace, NodeTraces } from '../ports/node-traces.ts'
import type { RunStore, StoredRun } from '../ports/run-store.ts'

type Needs = { runs: RunStore; nodeTraces: NodeTraces }

export type ShownRun = { readonly run: StoredRun; readonly nodes: readonly NodeTrace[] }

/** A run by its id or its task's, and what its nodes did; null when there is none. */
export type ShowRun = (id: string) => Promise<ShownRun | null>

/** More than any run may have, and what fits in memory. */
const MAX_NODES = 5000

export function makeShowRun({ runs, nodeTraces }: Needs): ShowRun {
  return async (id) => {
    const run = await runs.find(id)
    return run === null ? null : { run, nodes: await nodeTraces.list(run.id, MAX_NODES) }
  }
}
