import type { NodeExecutor } from './node-executor.ts'

/** A node that only marks a place in the graph: where a round begins, or a loop ends. */
export const pass: NodeExecutor = {
  run: async () => ({ inputs: {}, outputs: {} }),
}
