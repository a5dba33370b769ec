import { objectsAt, textAt, textsAt } from '#domain/json.ts'
import { assignedBy } from '../nodes/assigner.ts'
import { type Graph, type GraphNode, isAssigner, isResponse } from './graph.ts'
import { partsOf, type TemplatePart } from './variable-pool.ts'

/** The templates of an app's response nodes, by node id. */
export type StreamPlan = {
  readonly graph: Graph
  readonly templates: ReadonlyMap<string, readonly TemplatePart[]>
  /** Nodes whose deltas can be told live, because a template uses their text. */
  readonly streamed: ReadonlySet<string>
  /** Response nodes whose template uses a variable that some node assigns. */
  readonly waiting: ReadonlySet<string>
}

/** Prepares the answer of a graph: an end node's template is its outputs, one a line. */
export function planStream(graph: Graph): StreamPlan {
  const templates = new Map(
    [...graph.nodes.values()].filter(isResponse).map((node) => [node.id, templateOf(node)] as const),
  )
  const streamed = new Set(
    [...templates.values()].flat().flatMap((part) => (part.kind === 'variable' ? [part.selector[0] ?? ''] : [])),
  )
  const assigned = new Set([...graph.nodes.values()].filter(isAssigner).flatMap(({ data }) => assignedBy(data)))
  const waiting = new Set(
    [...templates.keys()].filter((id) => usesAny(templates.get(id) ?? [], (name) => assigned.has(name))),
  )
  return { graph, templates, streamed, waiting }
}

/** Whether a variable of the template is wanted; it is asked for as `node.name`. */
export function usesAny(template: readonly TemplatePart[], isWanted: (name: string) => boolean): boolean {
  return template.some((part) => part.kind === 'variable' && isWanted(part.selector.slice(0, 2).join('.')))
}

function templateOf(node: GraphNode): readonly TemplatePart[] {
  if (node.type === 'answer') return partsOf(textAt(node.data, 'answer'))
  return objectsAt(node.data, 'outputs').flatMap((output, at): TemplatePart[] => {
    const variable: TemplatePart = { kind: 'variable', selector: textsAt(output, 'value_selector') }
    return at === 0 ? [variable] : [{ kind: 'text', text: '\n' }, variable]
  })
}
