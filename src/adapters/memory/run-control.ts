import type { RunControl, StopReason } from '#application/ports/run-control.ts'

export type MemoryRunControl = RunControl & {
  /** What is carried now. */
  tasks(): readonly string[]
  /** Stops every run and those that begin later; resolves when the last has stored its ending. */
  stopAll(reason: StopReason): Promise<void>
}

/** Stops runs that this process carries. */
export function createMemoryRunControl(): MemoryRunControl {
  const carried = new Map<string, AbortController>()
  let stopped: { readonly reason: StopReason; readonly whenNoneIsLeft: () => void } | null = null
  return {
    tasks: () => [...carried.keys()],
    carry(taskId) {
      const controller = new AbortController()
      carried.set(taskId, controller)
      if (stopped !== null) controller.abort(stopped.reason)
      const done = () => {
        if (carried.get(taskId) === controller) carried.delete(taskId)
        if (carried.size === 0) stopped?.whenNoneIsLeft()
      }
      return { signal: controller.signal, done }
    },
    async stop(taskId, reason) {
      carried.get(taskId)?.abort(reason)
    },
    async stopAll(reason) {
      await new Promise<void>((resolve) => {
        stopped = { reason, whenNoneIsLeft: resolve }
        for (const controller of carried.values()) controller.abort(reason)
        if (carried.size === 0) resolve()
      })
    },
  }
}
