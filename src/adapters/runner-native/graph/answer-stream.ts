import { objectsAt, textAt, textsAt } from '#domain/json.ts'
import { assignedBy } from '../nodes/assigner.ts'
import { type Graph, type GraphNode, isBranching, isContainer, isResponse } from './graph.ts'
import type { EdgeState } from './scheduler-state.ts'
import { partsOf, type TemplatePart } from './variable-pool.ts'

/** One piece of the answer, and the variable it came from. */
export type TextPiece = { readonly delta: string; readonly fromSelector: readonly string[] }

/**
 * How far the answer has been told: plain JSON, changed in place. One response node speaks at a time; those that may
 * speak next wait in `open` in the order in which that became certain.
 */
export type StreamState = {
  readonly open: string[]
  /** Nodes that have opened: they never open again. */
  readonly known: Record<string, true>
  part: number
  /** How many deltas of the current part were told. */
  cursor: number
  readonly deltas: Record<string, string[]>
  readonly settled: Record<string, 'done' | 'skipped'>
}

/** What the answer hears of the run. */
export type StreamEvent =
  | { readonly kind: 'edges'; readonly edges: ReadonlyMap<string, EdgeState> }
  | { readonly kind: 'delta'; readonly nodeId: string; readonly delta: string }
  | { readonly kind: 'settled'; readonly nodeId: string; readonly as: 'done' | 'skipped' }

/** Before anything was told. */
export function newStream(): StreamState {
  return { open: [], known: {}, part: 0, cursor: 0, deltas: {}, settled: {} }
}

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

/**
 * Notes the event in `state` and gives what can be told now; `textOf` is the text of a variable whose node is done.
 * Nothing is told twice, and nothing of a response node before it is certain that the run comes to it.
 */
export function tell(
  plan: StreamPlan,
  state: StreamState,
  event: StreamEvent,
  textOf: (selector: readonly string[]) => string,
): readonly TextPiece[] {
  note(plan, state, event)
  return drain(plan, state, textOf)
}

/** What a node said so far, as far as an answer uses it. */
export function heard(state: StreamState, nodeId: string): readonly string[] {
  return own(state.deltas, nodeId) ?? []
}

/** Node ids are foreign: one may be called `constructor`. */
function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

/** As an assignment, but `__proto__` is a key like any other. */
function put<T>(record: Record<string, T>, key: string, value: T): void {
  Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true })
}

function note(plan: StreamPlan, state: StreamState, event: StreamEvent): void {
  switch (event.kind) {
    case 'edges': {
      const closed = [...plan.templates.keys()].filter((id) => !Object.hasOwn(state.known, id))
      const opened = certainOf(plan, closed, event.edges).sort()
      for (const id of opened) put(state.known, id, true)
      state.open.push(...opened)
      return
    }
    case 'delta': {
      if (!plan.streamed.has(event.nodeId) || event.delta === '') return
      const told = own(state.deltas, event.nodeId)
      if (told === undefined) put(state.deltas, event.nodeId, [event.delta])
      else told.push(event.delta)
      return
    }
    case 'settled':
      put(state.settled, event.nodeId, event.as)
  }
}

/** A walk back from a node ends at the first fork; the one walk from the start comes past everything. */
const FEW = 8

/** Those of `ids` that the run is certain to come to. */
function certainOf(plan: StreamPlan, ids: readonly string[], edges: ReadonlyMap<string, EdgeState>): string[] {
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

function isAssigner({ type }: GraphNode): boolean {
  return type === 'assigner'
}

function usesAny(template: readonly TemplatePart[], isWanted: (name: string) => boolean): boolean {
  return template.some((part) => part.kind === 'variable' && isWanted(part.selector.slice(0, 2).join('.')))
}

function drain(
  plan: StreamPlan,
  state: StreamState,
  textOf: (selector: readonly string[]) => string,
): readonly TextPiece[] {
  const pieces: TextPiece[] = []
  for (let speaker = state.open[0]; speaker !== undefined; speaker = state.open[0]) {
    const part = plan.templates.get(speaker)?.[state.part]
    if (part === undefined) {
      state.open.shift()
      state.part = 0
      state.cursor = 0
      continue
    }
    if (part.kind === 'text') {
      pieces.push({ delta: part.text, fromSelector: [speaker, 'answer'] })
    } else {
      const { fresh, complete } = speak(plan, state, part.selector, textOf)
      for (const delta of fresh) if (delta !== '') pieces.push({ delta, fromSelector: part.selector })
      state.cursor += fresh.length
      if (!complete) return pieces
    }
    state.part += 1
    state.cursor = 0
  }
  return pieces
}

function speak(
  plan: StreamPlan,
  state: StreamState,
  selector: readonly string[],
  textOf: (selector: readonly string[]) => string,
): { readonly fresh: readonly string[]; readonly complete: boolean } {
  const [nodeId = '', name] = selector
  const isNode = plan.graph.nodes.has(nodeId)
  const settled = isNode ? own(state.settled, nodeId) : 'done'
  // Only an LLM's `text` is told as it comes; its other outputs, and other nodes', are told whole.
  const live = isNode && name === 'text' && selector.length === 2
  const deltas = live ? heard(state, nodeId) : []
  if (settled === 'skipped') return { fresh: [], complete: true }
  if (deltas.length > 0) return { fresh: deltas.slice(state.cursor), complete: settled === 'done' }
  return settled === 'done' ? { fresh: [textOf(selector)], complete: true } : { fresh: [], complete: false }
}

function templateOf(node: GraphNode): readonly TemplatePart[] {
  if (node.type === 'answer') return partsOf(textAt(node.data, 'answer'))
  return objectsAt(node.data, 'outputs').flatMap((output, at): TemplatePart[] => {
    const variable: TemplatePart = { kind: 'variable', selector: textsAt(output, 'value_selector') }
    return at === 0 ? [variable] : [{ kind: 'text', text: '\n' }, variable]
  })
}
