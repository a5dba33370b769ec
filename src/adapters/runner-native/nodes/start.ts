import type { Json } from '#domain/app.ts'
import { linked } from '../files/linked.ts'
import type { NodeExecutor } from './node-executor.ts'

/** Hands the run's inputs, checked before it began, to the graph. */
export const start: NodeExecutor = {
  run: async ({ job }) => {
    const { inputs } = job.request
    const outputs = Object.entries(inputs).map(([name, value]): [string, Json] => [name, linked(value, job)])
    return { inputs, outputs: Object.fromEntries(outputs) }
  },
}
