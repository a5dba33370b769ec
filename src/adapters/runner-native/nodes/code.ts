import { textAt } from '#domain/json.ts'
import { declaredOutputs } from '../code/declared-outputs.ts'
import { namedVariables } from './named-variables.ts'
import { type NodeExecutor, NodeFailure } from './node-executor.ts'

/** Runs the node's JavaScript. */
export const code: NodeExecutor = {
  run: async ({ node, pool, services, signal }) => {
    const inputs = namedVariables(pool, node.data, 'variables')
    const ran = await services.code.runJavaScript(textAt(node.data, 'code'), inputs, signal)
    if (!ran.ok) throw new NodeFailure('CodeExecutionError', ran.error, { inputs })
    const declared = declaredOutputs(node.data, ran.value)
    if (!declared.ok) throw new NodeFailure('OutputValidationError', declared.error, { inputs })
    return { inputs, outputs: declared.value }
  },
  check: (node) => {
    const language = textAt(node.data, 'code_language')
    if (language === 'javascript') return null
    return {
      kind: 'node',
      reason: `code in ${language || 'an unnamed language'} cannot be run here`,
      fix: 'Rewrite the node in JavaScript.',
    }
  },
}
