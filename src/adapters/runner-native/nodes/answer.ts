import { textAt } from '#domain/json.ts'
import { answerText, fillTemplate } from '../graph/variable-pool.ts'
import type { NodeExecutor } from './node-executor.ts'

/** The text an answer node stands for, as a variable; what the reader sees comes from the answer stream. */
export const answer: NodeExecutor = {
  run: async ({ node, pool }) => ({
    inputs: {},
    outputs: { answer: fillTemplate(pool, textAt(node.data, 'answer'), answerText), files: [] },
  }),
}
