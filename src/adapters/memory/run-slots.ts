import type { RunSlots } from '#application/ports/run-slots.ts'

/** The runs of this process; they end with it. */
export function createMemoryRunSlots(): RunSlots {
  const taken = new Map<string, Set<string>>()
  const of = (workspaceId: string): Set<string> => {
    const known = taken.get(workspaceId) ?? new Set()
    taken.set(workspaceId, known)
    return known
  }
  return {
    async take({ workspaceId, runId }, limit) {
      const runs = of(workspaceId)
      if (runs.size >= limit && !runs.has(runId)) return false
      runs.add(runId)
      return true
    },
    async renew(slots) {
      for (const { workspaceId, runId } of slots) of(workspaceId).add(runId)
    },
    async free({ workspaceId, runId }) {
      const runs = of(workspaceId)
      runs.delete(runId)
      if (runs.size === 0) taken.delete(workspaceId)
    },
  }
}
