import { objectsAt, textAt, textsAt } from '#domain/json.ts'
import { resolve } from '../graph/variable-pool.ts'
import type { NodeExecutor } from './node-executor.ts'

/** Collects the run's outputs; a selector that names nothing gives null. */
export const end: NodeExecutor = {
  run: async ({ node, pool }) => {
    const outputs = Object.fromEntries(
      objectsAt(node.data, 'outputs').map((output) => [
        textAt(output, 'variable'),
        resolve(pool, textsAt(output, 'value_selector')) ?? null,
      ]),
    )
    return { inputs: outputs, outputs }
  },
}
