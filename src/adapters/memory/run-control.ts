import type { RunControl, StopReason } from '#application/ports/run-control.ts'

/** Stops the runs that this process carries. */
export function createMemoryRunControl(): RunControl & { stopAll(reason: StopReason): Promise<void> } {
  const carried = new Map<string, AbortController>()
  return {
    carry(taskId) {
      const controller = new AbortController()
      carried.set(taskId, controller)
      return { signal: controller.signal, done: () => void carried.delete(taskId) }
    },
    async stop(taskId, reason) {
      carried.get(taskId)?.abort(reason)
    },
    async stopAll(reason) {
      for (const controller of carried.values()) controller.abort(reason)
    },
  }
}
