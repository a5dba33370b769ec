import type { Graph } from './graph.ts'
import type { Execution, RoundPlan, SchedulerCommand } from './scheduler-events.ts'

/** What became of an edge once it was decided. */
export type EdgeState = 'taken' | 'skipped'

type NodeState = 'queued' | 'running' | 'done' | 'skipped'
type Queued = { readonly nodeId: string; readonly predecessorNodeId: string | null }

/** How far a container has come. */
export type RoundsState = RoundPlan & { readonly begun: number; readonly ended: number }

/** Where the run, or one round of a container, stands. Edges not named are still unknown. */
export type ScopeState = {
  /** The container that this is a round of; null for the run itself. */
  readonly owner: { readonly scope: number; readonly nodeId: string; readonly round: number } | null
  readonly edges: Readonly<Record<string, EdgeState>>
  readonly nodes: Readonly<Record<string, NodeState>>
  /** Ready, but no worker is free. */
  readonly queue: readonly Queued[]
  readonly running: Readonly<Record<string, Execution>>
  readonly containers: Readonly<Record<string, RoundsState>>
  /** Executions that began in it. */
  readonly steps: number
}

/** Where a run stands: plain JSON, so that it can be kept and resumed. */
export type SchedulerState = {
  readonly scopes: Readonly<Record<string, ScopeState>>
  readonly lastScope: number
  readonly steps: number
  readonly exceptions: number
  readonly over: boolean
}

/** Before anything happened. */
export const INITIAL_STATE: SchedulerState = {
  scopes: { 0: { owner: null, edges: {}, nodes: {}, queue: [], running: {}, containers: {}, steps: 0 } },
  lastScope: 0,
  steps: 0,
  exceptions: 0,
  over: false,
}

/** A scope while it is worked on, with its part of the graph. */
export type Scope = {
  readonly id: number
  readonly graph: Graph
  readonly owner: ScopeState['owner']
  readonly edges: Map<string, EdgeState>
  readonly nodes: Map<string, NodeState>
  readonly queue: Queued[]
  readonly running: Map<string, Execution>
  readonly containers: Map<string, RoundsState>
  steps: number
}

/** The state while it is worked on: changed in place, since a copy for every event is quadratic in the graph. */
export type Draft = {
  /** Executions of one scope. */
  readonly maxSteps: number
  readonly scopes: Map<number, Scope>
  /** Scopes in which something may start now. */
  readonly touched: Set<Scope>
  readonly commands: SchedulerCommand[]
  lastScope: number
  steps: number
  exceptions: number
  over: boolean
}

/** The state as a draft. A scope of a container that the graph lacks is left out. */
export function draftOf(graph: Graph, state: SchedulerState, maxSteps: number): Draft {
  const scopes = new Map<number, Scope>()
  // Owners have lower numbers than what they own, and whole numbers come in order.
  for (const [key, kept] of Object.entries(state.scopes)) {
    const { owner } = kept
    const part = owner === null ? graph : scopes.get(owner.scope)?.graph.inner.get(owner.nodeId)
    if (part === undefined) continue
    scopes.set(Number(key), {
      id: Number(key),
      graph: part,
      owner,
      edges: new Map(Object.entries(kept.edges)),
      nodes: new Map(Object.entries(kept.nodes)),
      queue: [...kept.queue],
      running: new Map(Object.entries(kept.running)),
      containers: new Map(Object.entries(kept.containers)),
      steps: kept.steps,
    })
  }
  const { lastScope, steps, exceptions, over } = state
  return { maxSteps, scopes, touched: new Set(), commands: [], lastScope, steps, exceptions, over }
}

/** The draft as plain JSON. */
export function stateOf({ scopes, lastScope, steps, exceptions, over }: Draft): SchedulerState {
  const kept = [...scopes].map(
    ([id, { owner, edges, nodes, queue, running, containers, steps }]): [number, ScopeState] => [
      id,
      {
        owner,
        edges: Object.fromEntries(edges),
        nodes: Object.fromEntries(nodes),
        queue: [...queue],
        running: Object.fromEntries(running),
        containers: Object.fromEntries(containers),
        steps,
      },
    ],
  )
  return { scopes: Object.fromEntries(kept), lastScope, steps, exceptions, over }
}

/** A scope in which nothing has happened yet. */
export function newScope(id: number, graph: Graph, owner: ScopeState['owner']): Scope {
  return {
    id,
    graph,
    owner,
    edges: new Map(),
    nodes: new Map(),
    queue: [],
    running: new Map(),
    containers: new Map(),
    steps: 0,
  }
}
