import type { NodeServices } from '../nodes/node-executor.ts'
import { executorOf } from '../nodes/node-table.ts'
import type { Graph } from './graph.ts'

/** Begins with what the graph's nodes wait for long, so that it is there when the run comes to them. */
export function expectNodes(graph: Graph, services: NodeServices, appId: string): void {
  for (const node of graph.nodes.values()) executorOf(node.type)?.expect?.(node, services, appId)
  for (const inner of graph.inner.values()) expectNodes(inner, services, appId)
}
