import type { JsonObject } from '#domain/app.ts'
import { objectsAt, textAt } from '#domain/json.ts'
import type { Graph, GraphEdge, GraphNode } from './graph.ts'
import {
  type Draft,
  draftOf,
  type Execution,
  type SchedulerCommand,
  type SchedulerEvent,
  type SchedulerState,
  stateOf,
} from './scheduler-state.ts'

/** Nodes of one run at a time. */
export const MAX_PARALLEL = 10
/** Executions of one run. */
export const MAX_STEPS = 500

/** The state after an event, and what it calls for. */
export type Advanced = { readonly state: SchedulerState; readonly commands: readonly SchedulerCommand[] }

/**
 * Decides what happens next in a run. Pure: the same state and event give the same answer, so a run can be taken up
 * again from its state. Events for nodes that are not running, and any event after the end, change nothing.
 */
export function advance(graph: Graph, state: SchedulerState, event: SchedulerEvent): Advanced {
  if (state.over) return { state, commands: [] }
  const draft = draftOf(state)
  const commands: SchedulerCommand[] = []
  switch (event.kind) {
    case 'start':
      if (draft.nodes.size > 0) break
      enqueue(draft, graph.rootId, null)
      break
    case 'node_succeeded':
      settle(graph, draft, commands, event)
      break
    case 'node_failed':
      fail(graph, draft, commands, event)
      break
    case 'retry_due': {
      const execution = draft.running.get(event.nodeId)
      if (execution !== undefined) commands.push({ kind: 'run_node', ...execution })
      break
    }
    case 'cut':
      finish(draft, commands, event.outcome, event.error)
  }
  if (!draft.over) dispatch(graph, draft, commands)
  return { state: stateOf(draft), commands }
}

function settle(
  graph: Graph,
  draft: Draft,
  commands: SchedulerCommand[],
  event: Extract<SchedulerEvent, { kind: 'node_succeeded' }>,
): void {
  const execution = takeFromRunning(draft, event.nodeId)
  const node = graph.nodes.get(event.nodeId)
  if (execution === null || node === undefined) return
  commands.push({ kind: 'settle_node', execution, status: 'succeeded', outputs: event.outputs, error: null })
  const handle = event.handles === null ? null : chosenHandle(graph, node, event.handles)
  leave(graph, draft, commands, node, (edge) => {
    if (node.strategy === 'fail-branch' && edge.handle === 'fail-branch') return false
    return event.handles === null || edge.handle === handle
  })
}

function chosenHandle(graph: Graph, node: GraphNode, handles: readonly string[]): string | null {
  const edges = graph.outgoing.get(node.id) ?? []
  return handles.find((handle) => edges.some((edge) => edge.handle === handle)) ?? null
}

function fail(
  graph: Graph,
  draft: Draft,
  commands: SchedulerCommand[],
  event: Extract<SchedulerEvent, { kind: 'node_failed' }>,
): void {
  const running = draft.running.get(event.nodeId)
  const node = graph.nodes.get(event.nodeId)
  if (running === undefined || node === undefined) return
  if (event.retryable && running.attempt < node.retry.max) {
    const again = { ...running, attempt: running.attempt + 1 }
    draft.running.set(node.id, again)
    commands.push({ kind: 'retry_later', ...again, delayMs: node.retry.intervalMs, error: event.error })
    return
  }
  const execution = takeFromRunning(draft, node.id)
  if (execution === null) return
  const { error } = event
  if (node.strategy === 'none') {
    commands.push({ kind: 'settle_node', execution, status: 'failed', outputs: {}, error })
    finish(draft, commands, 'failed', error)
    return
  }
  draft.exceptions += 1
  const facts = { error_message: error, error_type: event.errorType }
  const outputs = node.strategy === 'default-value' ? { ...defaultOutputs(node), ...facts } : facts
  commands.push({ kind: 'settle_node', execution, status: 'exception', outputs, error })
  const failBranch = node.strategy === 'fail-branch'
  leave(graph, draft, commands, node, (edge) => !failBranch || edge.handle === 'fail-branch')
}

function defaultOutputs(node: GraphNode): JsonObject {
  return Object.fromEntries(
    objectsAt(node.data, 'default_value').map((entry) => [textAt(entry, 'key'), entry.value ?? null]),
  )
}

function takeFromRunning(draft: Draft, nodeId: string): Execution | null {
  const execution = draft.running.get(nodeId)
  if (execution === undefined) return null
  draft.running.delete(nodeId)
  draft.nodes.set(nodeId, 'done')
  return execution
}

/** Decides the node's edges, then everything that follows from them: a skip runs on through whatever it starves. */
function leave(
  graph: Graph,
  draft: Draft,
  commands: SchedulerCommand[],
  node: GraphNode,
  isTaken: (edge: GraphEdge) => boolean,
): void {
  const decided: GraphEdge[] = []
  for (const edge of graph.outgoing.get(node.id) ?? []) {
    draft.edges.set(edge.id, isTaken(edge) ? 'taken' : 'skipped')
    decided.push(edge)
  }
  for (const edge of decided) {
    if (draft.nodes.has(edge.target)) continue
    const incoming = graph.incoming.get(edge.target) ?? []
    if (incoming.some(({ id }) => !draft.edges.has(id))) continue
    const isLive = ({ id }: GraphEdge) => draft.edges.get(id) === 'taken'
    const cause = isLive(edge) ? edge : incoming.findLast(isLive)
    if (cause !== undefined) {
      enqueue(draft, edge.target, cause.source)
      continue
    }
    draft.nodes.set(edge.target, 'skipped')
    commands.push({ kind: 'skip_node', nodeId: edge.target })
    for (const next of graph.outgoing.get(edge.target) ?? []) {
      draft.edges.set(next.id, 'skipped')
      decided.push(next)
    }
  }
}

function enqueue(draft: Draft, nodeId: string, predecessorNodeId: string | null): void {
  draft.nodes.set(nodeId, 'queued')
  draft.queue.push({ nodeId, predecessorNodeId })
}

function dispatch(graph: Graph, draft: Draft, commands: SchedulerCommand[]): void {
  while (draft.running.size < MAX_PARALLEL) {
    const next = draft.queue.shift()
    if (next === undefined) break
    if (draft.steps >= MAX_STEPS) {
      finish(draft, commands, 'failed', `the run took more than ${MAX_STEPS} steps`)
      return
    }
    draft.steps += 1
    const execution = { ...next, index: draft.steps, attempt: 0 }
    draft.running.set(next.nodeId, execution)
    draft.nodes.set(next.nodeId, 'running')
    commands.push({ kind: 'run_node', ...execution })
  }
  if (draft.running.size > 0) return
  const stuck = [...graph.nodes.values()].filter(({ id }) => !draft.nodes.has(id))
  if (stuck.length > 0) {
    const names = stuck.slice(0, 3).map(({ title }) => `"${title}"`)
    finish(draft, commands, 'failed', `nodes wait for each other in a cycle: ${names.join(', ')}`)
    return
  }
  finish(draft, commands, draft.exceptions > 0 ? 'partial' : 'succeeded', null)
}

function finish(
  draft: Draft,
  commands: SchedulerCommand[],
  outcome: Extract<SchedulerCommand, { kind: 'finish' }>['outcome'],
  error: string | null,
): void {
  for (const execution of draft.running.values()) {
    commands.push({ kind: 'settle_node', execution, status: 'stopped', outputs: {}, error: null })
  }
  draft.running.clear()
  draft.queue.length = 0
  draft.over = true
  commands.push({ kind: 'finish', outcome, error })
}
