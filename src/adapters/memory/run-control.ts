import type { RunControl, StopReason } from '#application/ports/run-control.ts'

/** Stops of one process, and the end of all its runs when it stops itself. */
export type MemoryRunControl = RunControl & { stopAll(reason: StopReason): Promise<void> }

/** Stops runs that this process carries. */
export function createMemoryRunControl(): MemoryRunControl {
  const carried = new Map<string, AbortController>()
  return {
    carry(taskId) {
      const controller = new AbortController()
      carried.set(taskId, controller)
      const done = () => {
        if (carried.get(taskId) === controller) carried.delete(taskId)
      }
      return { signal: controller.signal, done }
    },
    async stop(taskId, reason) {
      carried.get(taskId)?.abort(reason)
    },
    async stopAll(reason) {
      for (const controller of carried.values()) controller.abort(reason)
    },
  }
}
