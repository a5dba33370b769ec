import type { JsonObject } from '#domain/app.ts'
import type { RunFailure, TokenUsage } from '#domain/run.ts'
import { newStream, type StreamState } from './answer-stream.ts'
import type { Graph } from './graph.ts'
import type { Opened, RoundResult } from './rounds.ts'
import type { StreamPlan } from './stream-plan.ts'
import type { VariablePool } from './variable-pool.ts'

/** What is known of one execution beyond what the scheduler needs. */
export type Entry = {
  readonly executionId: string
  readonly startedAtMs: number
  inputs: JsonObject
  processData: JsonObject
  usage: TokenUsage | null
  failure: RunFailure | null
  /** What a container repeats, once that is known. */
  opened: Opened | null
  readonly results: (RoundResult | undefined)[]
}

/** The variables, executions and answers of one scope. */
export type Frame = {
  readonly graph: Graph
  readonly iterationId: string | null
  readonly loopId: string | null
  /** Shared between a loop and its rounds. */
  readonly cell: { pool: VariablePool }
  readonly plan: StreamPlan
  readonly stream: StreamState
  readonly entries: Map<string, Entry>
  /** Characters of what its nodes said, and of what rounds within gave. */
  held: number
  /** Edges were decided, or nothing was told yet. */
  isStale: boolean
  /** Why the scope failed, once it did. */
  failure: RunFailure | null
}

/** A scope in which nothing has happened yet. */
export function newFrame(
  graph: Graph,
  plan: StreamPlan,
  cell: Frame['cell'],
  within: Pick<Frame, 'iterationId' | 'loopId'>,
): Frame {
  const { iterationId, loopId } = within
  return {
    graph,
    iterationId,
    loopId,
    cell,
    plan,
    stream: newStream(),
    entries: new Map(),
    held: 0,
    isStale: true,
    failure: null,
  }
}

/** An execution that begins. */
export function newEntry(executionId: string, startedAtMs: number): Entry {
  return {
    executionId,
    startedAtMs,
    inputs: {},
    processData: {},
    usage: null,
    failure: null,
    opened: null,
    results: [],
  }
}
