import type { Clock } from '#application/ports/clock.ts'
import type { NewId } from '#application/ports/secrets.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import type { AppMode } from '#domain/app-mode.ts'
import { NO_USAGE, type NodeRef, type RunFailure, type RunStep, type RunTotals, type TokenUsage } from '#domain/run.ts'
import { SERVER_FAULT } from '../failures.ts'
import { type Assignment, NodeFailure, type NodeResult } from '../nodes/node-executor.ts'
import { heard, INITIAL_STREAM, planStream, type StreamEvent, tell } from './answer-stream.ts'
import type { Graph } from './graph.ts'
import type { Execution, SchedulerCommand, SchedulerState } from './scheduler-state.ts'
import { answerText, type VariablePool } from './variable-pool.ts'

type Needs = { readonly now: Clock; readonly ids: NewId; readonly onFault: (error: unknown) => void }
type Settled = Extract<SchedulerCommand, { kind: 'settle_node' }>
type Finished = Extract<SchedulerCommand, { kind: 'finish' }>

/** What is known of one execution beyond what the scheduler needs. */
type Entry = {
  readonly executionId: string
  readonly startedAtMs: number
  inputs: JsonObject
  processData: JsonObject
  usage: TokenUsage | null
  failure: RunFailure | null
}

/** One graph run's variables, answer and totals, and its steps in words. */
export type RunBook = {
  readonly pool: () => VariablePool
  /** Changes variables; gives those of the conversation, which outlive the run. */
  readonly assign: (assignments: readonly Assignment[]) => JsonObject
  /** Whether any of the node's text was kept for the answer. */
  readonly wasHeard: (nodeId: string) => boolean
  /** Takes a piece of a node's text; gives what can be told of the answer now. */
  readonly hear: (nodeId: string, delta: string) => readonly RunStep[]
  readonly keepResult: (nodeId: string, result: NodeResult) => void
  /** Any failure as one the app may know; a fault of ours is reported and loses its message. */
  readonly keepFailure: (nodeId: string, error: unknown) => NodeFailure
  /** The steps that a decision of the scheduler means, in the order in which readers see them. */
  readonly record: (commands: readonly SchedulerCommand[], state: SchedulerState) => readonly RunStep[]
}

/** Opens the book of a run that begins now. */
export function openRunBook(graph: Graph, initial: VariablePool, mode: AppMode, needs: Needs): RunBook {
  const { now, ids, onFault } = needs
  const plan = planStream(graph)
  const startedAtMs = now()
  const entries = new Map<string, Entry>()
  let pool = initial
  let stream = INITIAL_STREAM
  let usage = NO_USAGE
  let answer = ''
  let outputs: JsonObject = {}
  let retrieved: readonly Json[] = []
  let failure: RunFailure | null = null

  const since = (fromMs: number) => Math.max(0, now() - fromMs) / 1000

  function say(event: StreamEvent): readonly RunStep[] {
    const told = tell(plan, stream, event, (selector) => answerText(pool, selector))
    stream = told.state
    answer += told.pieces.map(({ delta }) => delta).join('')
    return told.pieces.map(({ delta, fromSelector }): RunStep => ({ kind: 'text', delta, fromSelector }))
  }

  function count(entry: Entry, used: TokenUsage | null): void {
    if (used === null) return
    entry.usage = used
    usage = {
      promptTokens: usage.promptTokens + used.promptTokens,
      completionTokens: usage.completionTokens + used.completionTokens,
      totalTokens: usage.totalTokens + used.totalTokens,
    }
  }

  function refOf({ nodeId, index, predecessorNodeId }: Execution): NodeRef {
    const node = graph.nodes.get(nodeId)
    return {
      executionId: entries.get(nodeId)?.executionId ?? '',
      nodeId,
      nodeType: node?.type ?? '',
      title: node?.title ?? '',
      index,
      predecessorNodeId,
      iterationId: null,
      loopId: null,
    }
  }

  function begin(execution: Execution): RunStep {
    entries.set(execution.nodeId, {
      executionId: ids(),
      startedAtMs: now(),
      inputs: {},
      processData: {},
      usage: null,
      failure: null,
    })
    return { kind: 'node_started', ...refOf(execution) }
  }

  function settle({ execution, status, outputs: given, error }: Settled): readonly RunStep[] {
    const { nodeId } = execution
    const entry = entries.get(nodeId)
    const isReached = status === 'succeeded' || status === 'exception'
    if (isReached) pool = { ...pool, [nodeId]: given }
    if (isReached && graph.nodes.get(nodeId)?.type === 'end') outputs = { ...outputs, ...given }
    if (status === 'failed') failure = entry?.failure ?? null
    const finished: RunStep = {
      kind: 'node_finished',
      ...refOf(execution),
      status,
      inputs: entry?.inputs ?? {},
      processData: entry?.processData ?? {},
      outputs: given,
      error,
      elapsedS: entry === undefined ? 0 : since(entry.startedAtMs),
      usage: entry?.usage ?? null,
    }
    return isReached ? [finished, ...say({ kind: 'settled', nodeId, as: 'done' })] : [finished]
  }

  function end({ outcome, error }: Finished, state: SchedulerState): RunStep {
    const told = { outputs: mode === 'advanced-chat' ? { answer } : outputs, answer }
    const totals: RunTotals = {
      usage,
      totalSteps: state.steps,
      elapsedS: since(startedAtMs),
      exceptionsCount: state.exceptions,
    }
    if (outcome === 'stopped') return { kind: 'stopped', reason: error ?? '', ...told, ...totals }
    if (outcome === 'failed') {
      return { kind: 'failed', failure: failure ?? { code: 'invalid_param', message: error ?? '' }, ...told, ...totals }
    }
    return { kind: outcome, ...told, retrieverResources: retrieved, ...totals }
  }

  return {
    pool: () => pool,
    assign(assignments) {
      const kept: Record<string, Json> = {}
      for (const { selector, value } of assignments) {
        const [namespace = '', name = ''] = selector
        pool = { ...pool, [namespace]: { ...pool[namespace], [name]: value } }
        if (namespace === 'conversation') kept[name] = value
      }
      return kept
    },
    wasHeard: (nodeId) => heard(stream, nodeId).length > 0,
    hear: (nodeId, delta) => say({ kind: 'delta', nodeId, delta }),
    keepResult(nodeId, result) {
      const entry = entries.get(nodeId)
      if (entry === undefined) return
      entry.inputs = result.inputs
      entry.processData = result.processData ?? {}
      count(entry, result.usage ?? null)
      retrieved = [...retrieved, ...(result.retrieverResources ?? [])]
    },
    keepFailure(nodeId, error) {
      if (!(error instanceof NodeFailure)) onFault(error)
      const known =
        error instanceof NodeFailure
          ? error
          : new NodeFailure('InternalError', SERVER_FAULT.message, { failure: SERVER_FAULT })
      const entry = entries.get(nodeId)
      if (entry !== undefined) {
        entry.inputs = known.inputs
        entry.failure = known.failure
        count(entry, known.usage)
      }
      return known
    },
    record(commands, state) {
      const steps: RunStep[] = []
      for (const command of commands) {
        if (command.kind === 'settle_node') steps.push(...settle(command))
        if (command.kind === 'skip_node') steps.push(...say({ kind: 'settled', nodeId: command.nodeId, as: 'skipped' }))
      }
      // A run that is cut tells nothing more of its answer.
      if (!commands.some((command) => command.kind === 'finish' && command.error !== null)) {
        steps.push(...say({ kind: 'edges', edges: state.edges }))
      }
      for (const command of commands) {
        if (command.kind === 'run_node' && command.attempt === 0) steps.push(begin(command))
        if (command.kind === 'retry_later') {
          steps.push({ kind: 'node_retry', ...refOf(command), error: command.error, retryIndex: command.attempt })
        }
        if (command.kind === 'finish') steps.push(end(command, state))
      }
      return steps
    },
  }
}
