import type { GraphNode } from '../graph/graph.ts'
import type { ContainerExecutor } from '../graph/rounds.ts'
import { iteration } from './iteration.ts'
import { loop } from './loop.ts'

/** How a container repeats its insides, or null for every other node. */
export function containerOf(node: GraphNode | undefined): ContainerExecutor | null {
  if (node?.type === 'iteration') return iteration
  return node?.type === 'loop' ? loop : null
}
