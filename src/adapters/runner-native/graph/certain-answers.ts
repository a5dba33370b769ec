import { assignedBy } from '../nodes/assigner.ts'
import { type GraphNode, isAssigner, isBranching, isContainer, isResponse } from './graph.ts'
import type { EdgeState } from './scheduler-state.ts'
import { type StreamPlan, usesAny } from './stream-plan.ts'
import type { TemplatePart } from './variable-pool.ts'

/** A walk back from a node ends at the first fork; the one walk from the start comes past everything. */
const FEW = 8

/** Those of the response nodes `ids` that the run is certain to come to; a new list, in the order given. */
export function certainOf(plan: StreamPlan, ids: readonly string[], edges: ReadonlyMap<string, EdgeState>): string[] {
  if (ids.length <= FEW) return ids.filter((id) => isCertain(plan, id, edges))
  const reached = certainNodes(plan, edges)
  return ids.filter((id) => reached.has(id) && (!plan.waiting.has(id) || isCertain(plan, id, edges)))
}

/**
 * The nodes that the run is certain to come to, assignments left aside: all at once, as one walk for each of thousands
 * of answers is quadratic in the graph.
 */
function certainNodes({ graph }: StreamPlan, edges: ReadonlyMap<string, EdgeState>): ReadonlySet<string> {
  const seen = new Set([graph.rootId])
  for (const id of seen) {
    const source = graph.nodes.get(id)
    if (source === undefined) continue
    const isHeld = holdsBack(source, [])
    for (const edge of graph.outgoing.get(id) ?? []) {
      const state = edges.get(edge.id)
      if (state === 'taken' || (state !== 'skipped' && !isHeld)) seen.add(edge.target)
    }
  }
  return seen
}

/**
 * Whether some path from the start has every deciding edge on it taken. Walking back from the node costs one visit an
 * edge; listing the paths would be exponential on graphs that people really draw.
 */
function isCertain({ graph, templates }: StreamPlan, nodeId: string, edges: ReadonlyMap<string, EdgeState>): boolean {
  const template = templates.get(nodeId) ?? []
  const seen = new Set([nodeId])
  for (const id of seen) {
    if (id === graph.rootId) return true
    for (const edge of graph.incoming.get(id) ?? []) {
      const source = graph.nodes.get(edge.source)
      const state = edges.get(edge.id)
      if (source === undefined || state === 'skipped') continue
      if (state === 'taken' || !holdsBack(source, template)) seen.add(source.id)
    }
  }
  return false
}

/** Whether an answer after this node must wait for it, though the run is certain to come to the answer. */
function holdsBack(node: GraphNode, template: readonly TemplatePart[]): boolean {
  if (isBranching(node) || isResponse(node) || isContainer(node)) return true
  if (!isAssigner(node) || template.length === 0) return false
  const assigned = assignedBy(node.data)
  return usesAny(template, (name) => assigned.includes(name))
}
