import { textAt } from '#domain/json.ts'
import { declaredOutputs } from '../code/declared-outputs.ts'
import { missingPackages, outwardCall } from '../code/python-packages.ts'
import type { GraphNode } from '../graph/graph.ts'
import { namedVariables } from './named-variables.ts'
import { type Missing, type NodeExecutor, NodeFailure } from './node-executor.ts'

/** Runs the node's code. */
export const code: NodeExecutor = {
  run: async ({ node, pool, job, services, signal }) => {
    const inputs = namedVariables(pool, node.data, 'variables')
    const { code: runner } = services
    const text = textAt(node.data, 'code')
    const ran = await (isPython(node)
      ? runner.runPython(text, inputs, job.app.id, signal)
      : runner.runJavaScript(text, inputs, signal))
    if (!ran.ok) throw new NodeFailure('CodeExecutionError', ran.error, { inputs })
    const declared = declaredOutputs(node.data, ran.value, services.limits)
    if (!declared.ok) throw new NodeFailure('OutputValidationError', declared.error, { inputs })
    return { inputs, outputs: declared.value }
  },
  expect: (node, services, appId) => {
    if (isPython(node)) services.code.expectPython(appId)
  },
  check: (node) => {
    const language = textAt(node.data, 'code_language')
    if (language === 'javascript') return null
    if (language === 'python3') return checkPackages(textAt(node.data, 'code'))
    return {
      kind: 'node',
      reason: `code in ${language || 'an unnamed language'} cannot be run here`,
      fix: 'Rewrite the node in JavaScript or Python.',
    }
  },
}

function isPython(node: GraphNode): boolean {
  return textAt(node.data, 'code_language') === 'python3'
}

function checkPackages(text: string): Missing | null {
  const missing = missingPackages(text)
  const call = missing.length > 0 ? null : outwardCall(text)
  if (call !== null) {
    return {
      kind: 'node',
      reason: `${call}: Python reaches no network and no other process here`,
      fix: 'Ask a service by an HTTP request node.',
    }
  }
  if (missing.length === 0) return null
  return {
    kind: 'node',
    reason: `the Python packages ${missing.join(', ').slice(0, 200)} are not available here`,
    fix: "Use Python's own library or JavaScript, or ask a service by an HTTP request.",
  }
}
