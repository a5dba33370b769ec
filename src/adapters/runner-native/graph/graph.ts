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
}

const MAX_RETRIES = 10
const MAX_RETRY_INTERVAL_MS = 60_000

/**
 * Reads nodes and edges leniently: notes, the insides of containers, orphans, repeated node ids and edges to nowhere
 * are left out, as they are in what people really export. Null when there is no start node.
 */
export function buildGraph(workflow: JsonObject): Graph | null {
  const source = objectAt(workflow, 'graph')
  const all = new Map<string, GraphNode>()
  for (const raw of objectsAt(source, 'nodes')) {
    const node = readNode(raw)
    if (node !== null && !all.has(node.id)) all.set(node.id, node)
  }
  const root = [...all.values()].find(({ type }) => type === 'start' || type.startsWith('trigger-'))
  if (root === undefined) return null
  const known = objectsAt(source, 'edges')
    .map((edge, at) => readEdge(edge, at))
    .filter(({ source, target }) => all.has(source) && all.has(target))
  const reached = reachableFrom(root.id, known)
  const edges = known.filter((edge) => reached.has(edge.source))
  return {
    rootId: root.id,
    nodes: new Map([...all].filter(([id]) => reached.has(id))),
    edges,
    outgoing: Map.groupBy(edges, (edge) => edge.source),
    incoming: Map.groupBy(edges, (edge) => edge.target),
  }
}

/** Whether which of the node's edges are taken is known only after it ran. */
export function isBranching(node: GraphNode): boolean {
  return node.type === 'if-else' || node.strategy === 'fail-branch'
}

/** Whether the node gives a part of the run's answer. */
export function isResponse(node: GraphNode): boolean {
  return node.type === 'answer' || node.type === 'end'
}

/** Whether the node has a graph of its own, run once for each of its rounds. */
export function isContainer(node: GraphNode): boolean {
  return node.type === 'iteration' || node.type === 'loop'
}

function readNode(raw: JsonObject): GraphNode | null {
  const id = idOf(raw, 'id')
  const data = objectAt(raw, 'data')
  const type = textAt(data, 'type')
  if (id === '' || type === '' || textAt(raw, 'type') === 'custom-note') return null
  const inside = data.isInIteration === true || data.isInLoop === true || idOf(raw, 'parentId') !== ''
  if (inside) return null
  const strategy = textAt(data, 'error_strategy')
  const retry = objectAt(data, 'retry_config')
  return {
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
