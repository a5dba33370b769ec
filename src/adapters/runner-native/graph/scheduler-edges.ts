import type { GraphEdge, GraphNode } from './graph.ts'
import type { Draft, Scope } from './scheduler-state.ts'

/** Decides the node's edges, then everything that follows from them: a skip runs on through whatever it starves. */
export function leave(draft: Draft, scope: Scope, node: GraphNode, isTaken: (edge: GraphEdge) => boolean): void {
  const { graph, edges, nodes } = scope
  const decided: GraphEdge[] = []
  for (const edge of graph.outgoing.get(node.id) ?? []) {
    edges.set(edge.id, isTaken(edge) ? 'taken' : 'skipped')
    decided.push(edge)
  }
  for (const edge of decided) {
    if (nodes.has(edge.target)) continue
    const incoming = graph.incoming.get(edge.target) ?? []
    if (incoming.some(({ id }) => !edges.has(id))) continue
    const isLive = ({ id }: GraphEdge) => edges.get(id) === 'taken'
    const cause = isLive(edge) ? edge : incoming.findLast(isLive)
    if (cause !== undefined) {
      enqueue(scope, edge.target, cause.source)
      continue
    }
    nodes.set(edge.target, 'skipped')
    draft.commands.push({ kind: 'skip_node', scope: scope.id, nodeId: edge.target })
    for (const next of graph.outgoing.get(edge.target) ?? []) {
      edges.set(next.id, 'skipped')
      decided.push(next)
    }
  }
}

/** Makes a node ready. */
export function enqueue(scope: Scope, nodeId: string, predecessorNodeId: string | null): void {
  scope.nodes.set(nodeId, 'queued')
  scope.queue.push({ nodeId, predecessorNodeId })
}
