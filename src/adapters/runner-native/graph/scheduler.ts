import { DEFAULT_LIMITS } from '../limits.ts'
import type { Graph, GraphNode } from './graph.ts'
import { enqueue, leave } from './scheduler-edges.ts'
import type { SchedulerCommand, SchedulerEvent } from './scheduler-events.ts'
import { endRound, fail, finish, goOn, openRounds, takeFromRunning } from './scheduler-rounds.ts'
import {
  type Draft,
  draftOf,
  type EdgeState,
  INITIAL_STATE,
  type SchedulerState,
  type Scope,
  stateOf,
} from './scheduler-state.ts'

/** Nodes at a time, in the run and in each round of a container. */
export const MAX_PARALLEL = 10
/** Executions of one run, all in all. */
export const MAX_TOTAL_STEPS = 50_000

/** The state after an event, and what it calls for. */
export type Advanced = { readonly state: SchedulerState; readonly commands: readonly SchedulerCommand[] }

/** One run's scheduler, which changes its state in place. */
export type Scheduler = {
  /** Decides what happens next; what is late, or comes after the end, changes nothing. */
  readonly advance: (event: SchedulerEvent) => readonly SchedulerCommand[]
  readonly state: () => SchedulerState
  /** The decided edges of a scope. */
  readonly edges: (scope: number) => ReadonlyMap<string, EdgeState>
  readonly isOver: () => boolean
  readonly counts: () => { readonly steps: number; readonly exceptions: number }
}

const NO_EDGES: ReadonlyMap<string, EdgeState> = new Map()

/** Begins a run, or takes one up again from its state: from there on the same events give the same commands. */
export function openScheduler(
  graph: Graph,
  from: SchedulerState = INITIAL_STATE,
  maxSteps: number = DEFAULT_LIMITS.steps,
): Scheduler {
  const draft = draftOf(graph, from, maxSteps)
  return {
    advance(event) {
      if (draft.over) return []
      handle(draft, event)
      for (const scope of draft.touched) {
        draft.touched.delete(scope)
        if (!draft.over) dispatch(draft, scope)
      }
      return draft.commands.splice(0)
    },
    state: () => stateOf(draft),
    edges: (scope) => draft.scopes.get(scope)?.edges ?? NO_EDGES,
    isOver: () => draft.over,
    counts: () => ({ steps: draft.steps, exceptions: draft.exceptions }),
  }
}

/** One step of a run as a pure function. */
export function advance(graph: Graph, state: SchedulerState, event: SchedulerEvent): Advanced {
  const scheduler = openScheduler(graph, state)
  const commands = scheduler.advance(event)
  return { state: scheduler.state(), commands }
}

function handle(draft: Draft, event: SchedulerEvent): void {
  if (event.kind === 'cut') {
    finish(draft, event.outcome, event.error)
    return
  }
  const scope = draft.scopes.get(event.kind === 'start' ? 0 : event.scope)
  if (scope === undefined) return
  switch (event.kind) {
    case 'start':
      if (scope.nodes.size > 0) break
      enqueue(scope, scope.graph.rootId, null)
      draft.touched.add(scope)
      break
    case 'node_succeeded':
      settle(draft, scope, event)
      break
    case 'node_failed':
      fail(draft, scope, event.nodeId, event)
      break
    case 'retry_due': {
      const execution = scope.running.get(event.nodeId)
      if (execution !== undefined) draft.commands.push({ kind: 'run_node', ...execution })
      break
    }
    case 'container_opened':
      openRounds(draft, scope, event.nodeId, event.plan)
      break
    case 'loop_checked':
      goOn(draft, scope, event.nodeId, event.again)
  }
}

function settle(draft: Draft, scope: Scope, event: Extract<SchedulerEvent, { kind: 'node_succeeded' }>): void {
  const execution = takeFromRunning(draft, scope, event.nodeId)
  const node = scope.graph.nodes.get(event.nodeId)
  if (execution === null || node === undefined) return
  draft.commands.push({ kind: 'settle_node', execution, status: 'succeeded', outputs: event.outputs, error: null })
  if (node.type === 'loop-end' && isLoop(draft, scope)) {
    endRound(draft, scope, null, true)
    return
  }
  const handle = event.handles === null ? null : chosenHandle(scope.graph, node, event.handles)
  leave(draft, scope, node, (edge) => {
    if (node.strategy === 'fail-branch' && edge.handle === 'fail-branch') return false
    return event.handles === null || edge.handle === handle
  })
  draft.touched.add(scope)
}

function isLoop(draft: Draft, { owner }: Scope): boolean {
  return owner !== null && draft.scopes.get(owner.scope)?.containers.get(owner.nodeId)?.kind === 'loop'
}

function chosenHandle(graph: Graph, node: GraphNode, handles: readonly string[]): string | null {
  const edges = graph.outgoing.get(node.id) ?? []
  return handles.find((handle) => edges.some((edge) => edge.handle === handle)) ?? null
}

function dispatch(draft: Draft, scope: Scope): void {
  while (scope.running.size < MAX_PARALLEL) {
    const next = scope.queue.shift()
    if (next === undefined) break
    const { maxSteps } = draft
    const maxInAll = Math.max(maxSteps, MAX_TOTAL_STEPS)
    if (scope.steps >= maxSteps || draft.steps >= maxInAll) {
      const limit = scope.steps >= maxSteps ? maxSteps : maxInAll
      finish(draft, 'failed', `the run took more than ${limit} steps`)
      return
    }
    scope.steps += 1
    draft.steps += 1
    const execution = { scope: scope.id, ...next, index: draft.steps, attempt: 0 }
    scope.running.set(next.nodeId, execution)
    scope.nodes.set(next.nodeId, 'running')
    draft.commands.push({ kind: 'run_node', ...execution })
  }
  if (scope.running.size > 0) return
  const fault = stuckFault(scope)
  if (scope.owner !== null) endRound(draft, scope, fault)
  else if (fault !== null) finish(draft, 'failed', fault.error)
  else finish(draft, draft.exceptions > 0 ? 'partial' : 'succeeded', null)
}

function stuckFault({ graph, nodes }: Scope) {
  if (graph.nodes.size === nodes.size) return null
  const stuck = [...graph.nodes.values()].filter(({ id }) => !nodes.has(id))
  const names = stuck.slice(0, 3).map(({ title }) => `"${title}"`)
  const error = `nodes wait for each other in a cycle: ${names.join(', ')}`
  return { error, errorType: 'CycleError', retryable: false }
}
