import type { Clock } from '#application/ports/clock.ts'
import type { NewId } from '#application/ports/secrets.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import type { AppMode } from '#domain/app-mode.ts'
import { NO_USAGE, type NodeRef, type RunFailure, type RunStep, type RunTotals, type TokenUsage } from '#domain/run.ts'
import { NodeFailure, type NodeResult } from '../nodes/node-executor.ts'
import {
  heard,
  INITIAL_STREAM,
  planStream,
  type StreamEvent,
  type StreamPlan,
  type StreamState,
  tell,
} from './answer-stream.ts'
import type { Graph } from './graph.ts'
import type { Advanced, Execution, SchedulerCommand, SchedulerState } from './scheduler.ts'
import { answerText, type VariablePool } from './variable-pool.ts'

type Needs = { readonly now: Clock; readonly ids: NewId; readonly onFault: (error: unknown) => void }

/** What is known of one execution beyond what the scheduler needs. */
type Entry = {
  readonly executionId: string
  readonly startedAtMs: number
  inputs: JsonObject
  processData: JsonObject
  usage: TokenUsage | null
  failure: RunFailure | null
}

const FAULT: RunFailure = { code: 'internal_server_error', message: 'The run failed because of a fault in the server.' }

/** Keeps one graph run's variables, answer and totals, and words its steps. */
export class RunBook {
  pool: VariablePool
  readonly #graph: Graph
  readonly #mode: AppMode
  readonly #needs: Needs
  readonly #plan: StreamPlan
  readonly #startedAtMs: number
  readonly #entries = new Map<string, Entry>()
  #stream: StreamState = INITIAL_STREAM
  #usage: TokenUsage = NO_USAGE
  #answer = ''
  #outputs: JsonObject = {}
  #retrieved: readonly Json[] = []

  constructor(graph: Graph, pool: VariablePool, mode: AppMode, needs: Needs) {
    this.#graph = graph
    this.pool = pool
    this.#mode = mode
    this.#needs = needs
    this.#plan = planStream(graph)
    this.#startedAtMs = needs.now()
  }

  /** Whether any of the node's text was kept for the answer. */
  wasHeard(nodeId: string): boolean {
    return heard(this.#stream, nodeId).length > 0
  }

  /** Takes a piece of a node's text; what can be told of the answer now. */
  hear(nodeId: string, delta: string): readonly RunStep[] {
    return this.#tell({ kind: 'delta', nodeId, delta })
  }

  keepResult(nodeId: string, result: NodeResult): void {
    const entry = this.#entries.get(nodeId)
    if (entry === undefined) return
    entry.inputs = result.inputs
    entry.processData = result.processData ?? {}
    this.#count(entry, result.usage ?? null)
    this.#retrieved = [...this.#retrieved, ...(result.retrieverResources ?? [])]
  }

  keepFailure(nodeId: string, error: unknown): NodeFailure {
    const expected = error instanceof NodeFailure
    if (!expected) this.#needs.onFault(error)
    const failure = expected ? error : new NodeFailure('InternalError', FAULT.message, { failure: FAULT })
    const entry = this.#entries.get(nodeId)
    if (entry !== undefined) {
      entry.inputs = failure.inputs
      entry.failure = failure.failure
      this.#count(entry, failure.usage)
    }
    return failure
  }

  /** The steps that a decision of the scheduler means, in the order in which readers see them. */
  record({ commands }: Advanced, state: SchedulerState): readonly RunStep[] {
    const steps: RunStep[] = []
    for (const command of commands) {
      if (command.kind === 'settle_node') steps.push(...this.#settle(command))
      if (command.kind === 'skip_node')
        steps.push(...this.#tell({ kind: 'settled', nodeId: command.nodeId, as: 'skipped' }))
    }
    steps.push(...this.#tell({ kind: 'edges', edges: state.edges }))
    for (const command of commands) {
      if (command.kind === 'run_node' && command.attempt === 0) steps.push(this.#start(command))
      if (command.kind === 'retry_later') {
        steps.push({ kind: 'node_retry', ...this.#ref(command), error: command.error, retryIndex: command.attempt })
      }
      if (command.kind === 'finish') steps.push(this.#end(command, state))
    }
    return steps
  }

  #start(execution: Execution): RunStep {
    this.#entries.set(execution.nodeId, {
      executionId: this.#needs.ids(),
      startedAtMs: this.#needs.now(),
      inputs: {},
      processData: {},
      usage: null,
      failure: null,
    })
    return { kind: 'node_started', ...this.#ref(execution) }
  }

  *#settle(command: Extract<SchedulerCommand, { kind: 'settle_node' }>): Iterable<RunStep> {
    const { execution, status, outputs, error } = command
    const { nodeId } = execution
    const entry = this.#entries.get(nodeId)
    const reached = status === 'succeeded' || status === 'exception'
    if (reached) this.pool = { ...this.pool, [nodeId]: outputs }
    if (reached && this.#graph.nodes.get(nodeId)?.type === 'end') this.#outputs = { ...this.#outputs, ...outputs }
    yield {
      kind: 'node_finished',
      ...this.#ref(execution),
      status,
      inputs: entry?.inputs ?? {},
      processData: entry?.processData ?? {},
      outputs,
      error,
      elapsedS: this.#since(entry?.startedAtMs),
      usage: entry?.usage ?? null,
    }
    if (reached) yield* this.#tell({ kind: 'settled', nodeId, as: 'done' })
    else if (status === 'failed') this.#failure = entry?.failure ?? null
  }

  #failure: RunFailure | null = null

  #end({ outcome, error }: Extract<SchedulerCommand, { kind: 'finish' }>, state: SchedulerState): RunStep {
    const answer = this.#answer
    const outputs = this.#mode === 'advanced-chat' ? { answer } : this.#outputs
    const totals: RunTotals = {
      usage: this.#usage,
      totalSteps: state.steps,
      elapsedS: this.#since(this.#startedAtMs),
      exceptionsCount: state.exceptions,
    }
    if (outcome === 'stopped') return { kind: 'stopped', reason: error ?? '', outputs, answer, ...totals }
    if (outcome === 'failed') {
      const failure: RunFailure = this.#failure ?? { code: 'invalid_param', message: error ?? '' }
      return { kind: 'failed', failure, outputs, answer, ...totals }
    }
    return { kind: outcome, outputs, answer, retrieverResources: this.#retrieved, ...totals }
  }

  #tell(event: StreamEvent): readonly RunStep[] {
    const told = tell(this.#plan, this.#stream, event, (selector) => answerText(this.pool, selector))
    this.#stream = told.state
    this.#answer += told.pieces.map(({ delta }) => delta).join('')
    return told.pieces.map(({ delta, fromSelector }): RunStep => ({ kind: 'text', delta, fromSelector }))
  }

  #ref({ nodeId, index, predecessorNodeId }: Execution): NodeRef {
    const node = this.#graph.nodes.get(nodeId)
    return {
      executionId: this.#entries.get(nodeId)?.executionId ?? '',
      nodeId,
      nodeType: node?.type ?? '',
      title: node?.title ?? '',
      index,
      predecessorNodeId,
      iterationId: null,
      loopId: null,
    }
  }

  #count(entry: Entry, usage: TokenUsage | null): void {
    if (usage === null) return
    entry.usage = usage
    this.#usage = {
      promptTokens: this.#usage.promptTokens + usage.promptTokens,
      completionTokens: this.#usage.completionTokens + usage.completionTokens,
      totalTokens: this.#usage.totalTokens + usage.totalTokens,
    }
  }

  #since(fromMs: number | undefined): number {
    return fromMs === undefined ? 0 : Math.max(0, this.#needs.now() - fromMs) / 1000
  }
}
