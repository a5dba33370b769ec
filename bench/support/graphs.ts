import type { JsonObject } from '#domain/app.ts'

/** A graph as an app file holds it. */
export type Graph = { readonly nodes: readonly JsonObject[]; readonly edges: readonly JsonObject[] }

/** The input that the graphs work on. */
export const INPUTS = { name: 'Ada' }

/** Start, then a template, a branch and an aggregator in turn, then end: `length` nodes after each other. */
export function chain(length: number): Graph {
  const nodes = [start]
  const edges: JsonObject[] = []
  let last = { id: 'start', handle: 'source', output: 'name' }
  for (let at = 1; at < length - 1; at++) {
    const id = `n${at}`
    const from = at % 3 === 0 ? [`n${at - 2}`, 'output'] : [last.id, last.output]
    edges.push(edge(last.id, id, last.handle))
    if (at % 3 === 1) nodes.push(template(id, from))
    else if (at % 3 === 2) nodes.push(branch(id, from))
    else nodes.push(aggregator(id, [from]))
    last = { id, handle: at % 3 === 2 ? 'yes' : 'source', output: 'output' }
  }
  edges.push(edge(last.id, 'end', last.handle))
  return { nodes: [...nodes, end(['start', 'name'])], edges }
}

/** Start, branches side by side, one aggregator and end: `length` nodes in four steps. */
export function fan(length: number): Graph {
  const ids = Array.from({ length: length - 3 }, (_, at) => `t${at}`)
  const join = aggregator(
    'join',
    ids.map((id) => [id, 'output']),
  )
  return {
    nodes: [start, ...ids.map((id) => template(id, ['start', 'name'])), join, end(['join', 'output'])],
    edges: [...ids.flatMap((id) => [edge('start', id), edge(id, 'join')]), edge('join', 'end')],
  }
}

const start = node('start', 'start', {
  variables: [{ variable: 'name', label: 'Name', type: 'text-input', required: true, max_length: 40 }],
})

function template(id: string, from: readonly string[]): JsonObject {
  const variables = [{ variable: 'name', value_selector: [...from] }]
  return node(id, 'template-transform', { template: '{{ name }}', variables })
}

function branch(id: string, on: readonly string[]): JsonObject {
  const condition = { id, variable_selector: [...on], comparison_operator: 'is', value: INPUTS.name, varType: 'string' }
  return node(id, 'if-else', {
    cases: [{ id: 'yes', case_id: 'yes', logical_operator: 'and', conditions: [condition] }],
  })
}

function aggregator(id: string, variables: readonly (readonly string[])[]): JsonObject {
  return node(id, 'variable-aggregator', { output_type: 'string', variables: variables.map((one) => [...one]) })
}

function end(from: readonly string[]): JsonObject {
  return node('end', 'end', { outputs: [{ variable: 'text', value_selector: [...from] }] })
}

function node(id: string, type: string, data: JsonObject): JsonObject {
  return { id, type: 'custom', data: { type, title: id, ...data } }
}

function edge(source: string, target: string, handle = 'source'): JsonObject {
  return { id: `${source}-${target}`, source, target, sourceHandle: handle, targetHandle: 'target' }
}
