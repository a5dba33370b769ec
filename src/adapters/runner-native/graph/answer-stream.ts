import { certainOf } from './certain-answers.ts'
import type { EdgeState } from './scheduler-state.ts'
import type { StreamPlan } from './stream-plan.ts'

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
