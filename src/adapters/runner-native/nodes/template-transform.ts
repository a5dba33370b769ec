import { textAt } from '#domain/json.ts'
import { namedVariables } from './named-variables.ts'
import { type NodeExecutor, NodeFailure } from './node-executor.ts'

/** Renders the node's Jinja template with its variables. */
export const templateTransform: NodeExecutor = {
  run: async ({ node, pool, services, signal }) => {
    const inputs = namedVariables(pool, node.data, 'variables')
    const rendered = await services.templates.render(textAt(node.data, 'template'), inputs, signal)
    if (!rendered.ok) throw new NodeFailure('TemplateError', rendered.error, { inputs })
    return { inputs, outputs: { output: rendered.value } }
  },
  expect: (node, { templates }) => templates.expect(textAt(node.data, 'template')),
}
