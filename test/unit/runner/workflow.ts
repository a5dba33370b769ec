import type { Json, JsonObject } from '#domain/app.ts'

/** The workflow of an app file. */
export function aWorkflow(
  nodes: readonly JsonObject[],
  connected: readonly JsonObject[],
  more: JsonObject = {},
): JsonObject {
  return { graph: { nodes, edges: connected }, features: {}, ...more }
}

/** A workflow of `start` and these nodes, one after the other. */
export function inARow(...nodes: readonly JsonObject[]): JsonObject {
  const ids = ['start', ...nodes.map(({ id }) => String(id))]
  return aWorkflow([aStart(), ...nodes], edges(...ids.slice(1).map((id, at) => `${ids[at]}>${id}`)))
}

/** A node as app files have it. */
export function aNode(id: string, type: string, data: JsonObject = {}): JsonObject {
  return { id, type: 'custom', data: { type, title: id, ...data } }
}

/** Edges written `a>b`, or `a:handle>b`. */
export function edges(...written: readonly string[]): readonly JsonObject[] {
  return written.map((edge, at) => {
    const [from = '', target = ''] = edge.split('>')
    const [source = '', sourceHandle = 'source'] = from.split(':')
    return { id: `edge-${at}`, source, sourceHandle, target, targetHandle: 'target' }
  })
}

export const aStart = (...variables: readonly JsonObject[]) => aNode('start', 'start', { variables })
export const anAnswer = (id: string, answer: string) => aNode(id, 'answer', { answer })
export const anEnd = (id: string, ...selectors: readonly string[]) =>
  aNode(id, 'end', {
    outputs: selectors.map((selector) => ({
      variable: selector.split('.').at(-1) ?? '',
      value_selector: selector.split('.'),
    })),
  })
export const anLlm = (id: string, text: string, more: JsonObject = {}) =>
  aNode(id, 'llm', { model: { name: 'm', completion_params: {} }, prompt_template: [{ role: 'user', text }], ...more })

/** An if-else on `start.<name>` with the branches `yes` and `false`. */
export const aBranch = (id: string, name: string, operator: string, value: Json) =>
  aNode(id, 'if-else', {
    cases: [
      {
        case_id: 'yes',
        logical_operator: 'and',
        conditions: [{ variable_selector: ['start', name], comparison_operator: operator, value }],
      },
    ],
  })

/** Code that the tests' own runner looks up by its text. */
export const aCode = (id: string, code: string, more: JsonObject = {}) =>
  aNode(id, 'code', { code, code_language: 'javascript', variables: [], outputs: { out: { type: 'string' } }, ...more })

/** A node within an iteration or a loop. */
export const inside = (container: string, node: JsonObject): JsonObject => ({ ...node, parentId: container })
