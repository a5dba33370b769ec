import type { JsonObject } from '#domain/app.ts'
import { isObject, objectAt, objectsAt, textAt } from '#domain/json.ts'

/** A node with what the scheduler needs of it; `data` is as imported. */
export type GraphNode = {
  readonly id: string
  readonly type: string
  readonly title: string
  readonly data: JsonObject
  readonly strategy: ErrorStrategy
  readonly retry: { readonly max: number; readonly intervalMs: number }
}

/** What the failure of a node means for the run. */
export type ErrorStrategy = 'none' | 'fail-branch' | 'default-value'

/** `id` is ours: real files repeat edge ids. */
export type GraphEdge = {
  readonly id: string
  readonly source: string
  readonly target: string
  readonly handle: string
}

/** The part of an imported graph that can be reached from its start. */
export type Graph = {
  readonly rootId: string
  readonly nodes: ReadonlyMap<string, GraphNode>
  readonly edges: readonly GraphEdge[]
  readonly outgoing: ReadonlyMap<string, readonly GraphEdge[]>
  readonly incoming: ReadonlyMap<string, readonly GraphEdge[]>
  /** What each iteration or loop repeats, by its node; one with nothing inside has no entry. */
  readonly inner: ReadonlyMap<string, Graph>
}

type Placed = { readonly node: GraphNode; readonly parentId: string | null }

const BRANCHING = ['if-else', 'question-classifier', 'human-input']
const MAX_RETRIES = 10
const MAX_RETRY_INTERVAL_MS = 60_000
/** Containers within containers; editors allow two. */
const MAX_NESTING = 5

/**
 * Reads nodes and edges leniently: notes, orphans, repeated node ids, nodes inside of nothing and edges to nowhere are
 * left out, as they are in what people really export. Null when there is no start node.
 */
export function buildGraph(workflow: JsonObject): Graph | null {
  const source = objectAt(workflow, 'graph')
  const all = new Map<string, Placed>()
  for (const raw of objectsAt(source, 'nodes')) {
    const placed = readNode(raw)
    if (placed !== null && !all.has(placed.node.id)) all.set(placed.node.id, placed)
  }
  const levels = Map.groupBy(all.values(), ({ parentId }) => parentId)
  // Sorted in one pass: looking through all edges for every container is quadratic in a file of many.
  const edges = Map.groupBy(
    objectsAt(source, 'edges').map((edge, at) => readEdge(edge, at)),
    (edge) => levelOf(edge, all),
  )
  const root = levels.get(null)?.find(({ node }) => node.type === 'start' || node.type.startsWith('trigger-'))
  return root === undefined ? null : buildLevel(levels, edges, null, root.node.id, 0)
}

/** The edges of each container, by its id; null are those of the run, undefined those that lead nowhere. */
type Edges = ReadonlyMap<string | null | undefined, readonly GraphEdge[]>

function levelOf({ source, target }: GraphEdge, all: ReadonlyMap<string, Placed>): string | null | undefined {
  const [from, to] = [all.get(source), all.get(target)]
  return from !== undefined && from.parentId === to?.parentId ? from.parentId : undefined
}

function buildLevel(
  levels: ReadonlyMap<string | null, readonly Placed[]>,
  all: Edges,
  parentId: string | null,
  rootId: string,
  depth: number,
): Graph {
  const level = new Map((levels.get(parentId) ?? []).map(({ node }) => [node.id, node] as const))
  const known = all.get(parentId) ?? []
  const reached = reachableFrom(rootId, known)
  const edges = known.filter((edge) => reached.has(edge.source))
  const nodes = new Map([...level].filter(([id]) => reached.has(id)))
  const inner = new Map<string, Graph>()
  for (const node of nodes.values()) {
    const mayNest = isContainer(node) && depth < MAX_NESTING
    const innerRoot = mayNest ? rootWithin(node, levels.get(node.id) ?? [], all.get(node.id) ?? []) : null
    if (innerRoot !== null) inner.set(node.id, buildLevel(levels, all, node.id, innerRoot, depth + 1))
  }
  return {
    rootId,
    nodes,
    edges,
    outgoing: Map.groupBy(edges, (edge) => edge.source),
    incoming: Map.groupBy(edges, (edge) => edge.target),
    inner,
  }
}

/** The node that a round begins with: the oldest exports name a plain one, and some name none. */
function rootWithin(container: GraphNode, inside: readonly Placed[], edges: readonly GraphEdge[]): string | null {
  const named = idOf(container.data, 'start_node_id')
  const ids = inside.map(({ node }) => node.id)
  if (ids.includes(named)) return named
  const start = inside.find(({ node }) => node.type === `${container.type}-start`)
  if (start !== undefined) return start.node.id
  const led = new Set(edges.map(({ target }) => target))
  return ids.find((id) => !led.has(id)) ?? null
}

/** Whether which of the node's edges are taken is known only after it ran. */
export function isBranching(node: GraphNode): boolean {
  return BRANCHING.includes(node.type) || node.strategy === 'fail-branch'
}

/** Whether the node gives a part of the run's answer. */
export function isResponse(node: GraphNode): boolean {
  return node.type === 'answer' || node.type === 'end'
}

/** Whether the node changes variables of others. */
export function isAssigner(node: GraphNode): boolean {
  return node.type === 'assigner'
}

/** Whether the node has a graph of its own, run once for each of its rounds. */
export function isContainer(node: GraphNode): boolean {
  return node.type === 'iteration' || node.type === 'loop'
}

/** Whether the node is in the graph, or in a container within it. */
export function hasNode(graph: Graph, nodeId: string): boolean {
  return graph.nodes.has(nodeId) || [...graph.inner.values()].some((inner) => hasNode(inner, nodeId))
}

function readNode(raw: JsonObject): Placed | null {
  const id = idOf(raw, 'id')
  const data = objectAt(raw, 'data')
  const type = textAt(data, 'type')
  if (id === '' || type === '' || textAt(raw, 'type') === 'custom-note') return null
  const strategy = textAt(data, 'error_strategy')
  const retry = objectAt(data, 'retry_config')
  const node: GraphNode = {
    id,
    type,
    title: textAt(data, 'title') || type,
    data,
    strategy: strategy === 'fail-branch' || strategy === 'default-value' ? strategy : 'none',
    retry: {
      max: retry.retry_enabled === true ? within(retry.max_retries, MAX_RETRIES) : 0,
      intervalMs: within(retry.retry_interval, MAX_RETRY_INTERVAL_MS),
    },
  }
  return { node, parentId: parentOf(raw, data) }
}

/** The container around a node; "" when the file says that there is one but not which. */
function parentOf(raw: JsonObject, data: JsonObject): string | null {
  const named = idOf(raw, 'parentId')
  if (named !== '') return named
  if (data.isInIteration === true) return idOf(data, 'iteration_id')
  return data.isInLoop === true ? idOf(data, 'loop_id') : null
}

function readEdge(raw: JsonObject, at: number): GraphEdge {
  return {
    id: `e${at}`,
    source: idOf(raw, 'source'),
    target: idOf(raw, 'target'),
    handle: idOf(raw, 'sourceHandle') || 'source',
  }
}

/** Ids are strings, but a hand-edited file may leave the quotes off digits, or off `true`. */
function idOf(raw: JsonObject, key: string): string {
  const id = raw[key]
  return id === null || id === undefined || isObject(id) || Array.isArray(id) ? '' : String(id)
}

function within(value: unknown, most: number): number {
  return typeof value === 'number' && value > 0 ? Math.min(Math.floor(value), most) : 0
}

function reachableFrom(rootId: string, edges: readonly GraphEdge[]): ReadonlySet<string> {
  const outgoing = Map.groupBy(edges, (edge) => edge.source)
  const reached = new Set([rootId])
  // A Set's iterator also visits what is added while it runs.
  for (const id of reached) for (const edge of outgoing.get(id) ?? []) reached.add(edge.target)
  return reached
}
