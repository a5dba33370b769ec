import type { NodeExecutor } from './node-executor.ts'

/** Hands the run's inputs, checked before it began, to the graph. */
export const start: NodeExecutor = {
  run: async ({ job }) => ({ inputs: job.request.inputs, outputs: job.request.inputs }),
}
