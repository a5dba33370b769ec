import type { JsonObject } from '#domain/app.ts'

/** What became of an edge once it was decided. */
export type EdgeState = 'taken' | 'skipped'

/** One execution of a node under way. A retry keeps everything but `attempt`. */
export type Execution = {
  readonly nodeId: string
  /** Counts executions of the run from 1. */
  readonly index: number
  readonly attempt: number
  readonly predecessorNodeId: string | null
}

/** Where a run stands: plain JSON, so that it can be kept and resumed. Edges not named are still unknown. */
export type SchedulerState = {
  readonly edges: Readonly<Record<string, EdgeState>>
  readonly nodes: Readonly<Record<string, 'queued' | 'running' | 'done' | 'skipped'>>
  /** Ready, but no worker is free. */
  readonly queue: readonly { readonly nodeId: string; readonly predecessorNodeId: string | null }[]
  readonly running: Readonly<Record<string, Execution>>
  readonly steps: number
  readonly exceptions: number
  readonly over: boolean
}

/** What happened to a run. */
export type SchedulerEvent =
  | { readonly kind: 'start' }
  /** `handles` are the names the chosen branch may go by, best first; null takes every edge. */
  | {
      readonly kind: 'node_succeeded'
      readonly nodeId: string
      readonly outputs: JsonObject
      readonly handles: readonly string[] | null
    }
  | {
      readonly kind: 'node_failed'
      readonly nodeId: string
      readonly error: string
      readonly errorType: string
      readonly retryable: boolean
    }
  | { readonly kind: 'retry_due'; readonly nodeId: string }
  | { readonly kind: 'cut'; readonly outcome: 'stopped' | 'failed'; readonly error: string }

/** What is to be done about it. */
export type SchedulerCommand =
  | ({ readonly kind: 'run_node' } & Execution)
  | ({ readonly kind: 'retry_later'; readonly delayMs: number; readonly error: string } & Execution)
  /** The node ended: its outputs are now variables. */
  | {
      readonly kind: 'settle_node'
      readonly execution: Execution
      readonly status: 'succeeded' | 'exception' | 'failed' | 'stopped'
      readonly outputs: JsonObject
      readonly error: string | null
    }
  | { readonly kind: 'skip_node'; readonly nodeId: string }
  | {
      readonly kind: 'finish'
      readonly outcome: 'succeeded' | 'partial' | 'failed' | 'stopped'
      readonly error: string | null
    }

/** Before anything happened. */
export const INITIAL_STATE: SchedulerState = {
  edges: {},
  nodes: {},
  queue: [],
  running: {},
  steps: 0,
  exceptions: 0,
  over: false,
}

/** The state while one event is worked on. */
export type Draft = {
  readonly edges: Map<string, EdgeState>
  readonly nodes: Map<string, 'queued' | 'running' | 'done' | 'skipped'>
  readonly queue: { readonly nodeId: string; readonly predecessorNodeId: string | null }[]
  readonly running: Map<string, Execution>
  steps: number
  exceptions: number
  over: boolean
}

/** A copy that may be changed. */
export function draftOf(state: SchedulerState): Draft {
  return {
    edges: new Map(Object.entries(state.edges)),
    nodes: new Map(Object.entries(state.nodes)),
    queue: [...state.queue],
    running: new Map(Object.entries(state.running)),
    steps: state.steps,
    exceptions: state.exceptions,
    over: state.over,
  }
}

/** The draft as JSON again. */
export function stateOf(draft: Draft): SchedulerState {
  return {
    edges: Object.fromEntries(draft.edges),
    nodes: Object.fromEntries(draft.nodes),
    queue: draft.queue,
    running: Object.fromEntries(draft.running),
    steps: draft.steps,
    exceptions: draft.exceptions,
    over: draft.over,
  }
}
