import type { Clock } from '#application/ports/clock.ts'
import type { NewId } from '#application/ports/secrets.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import type { AppMode } from '#domain/app-mode.ts'
import { NO_USAGE, type RunFailure, type RunStep, type RunTotals, type TokenUsage } from '#domain/run.ts'
import { failureBy } from '../failures.ts'
import type { RunLimits } from '../limits.ts'
import { containerOf } from '../nodes/container-table.ts'
import { type LogEntry, NodeFailure, type NodeResult } from '../nodes/node-executor.ts'
import { heard, type StreamEvent, tell } from './answer-stream.ts'
import { type Entry, type Frame, newEntry } from './frame.ts'
import type { Frames } from './frames.ts'
import type { Opened } from './rounds.ts'
import type { BookState } from './run-state.ts'
import type { Scheduler } from './scheduler.ts'
import type { Execution, Place, SchedulerCommand } from './scheduler-events.ts'
import { containerFinished, containerStarted, nodeFinished, refOf } from './step-words.ts'
import { addTo, answerText } from './variable-pool.ts'
import { weightOf } from './weight.ts'

type Needs = {
  readonly now: Clock
  readonly ids: NewId
  readonly services: { readonly limits: Pick<RunLimits, 'runChars' | 'answerChars'> }
  readonly onFault: (error: unknown) => void
}
type Command<K extends SchedulerCommand['kind']> = Extract<SchedulerCommand, { kind: K }>

/** One graph run's answer and totals, and its steps in words. */
export type RunBook = {
  readonly atRest: () => BookState
  /** Whether any of the node's text was kept for the answer. */
  readonly wasHeard: (place: Place) => boolean
  /** Takes a piece of a node's text; gives what can be told of the answer now. */
  readonly hear: (place: Place, delta: string) => readonly RunStep[]
  /** What an agent does, in words. */
  readonly log: (place: Place, entry: LogEntry) => readonly RunStep[]
  /** Takes what a node made, or says why it is too much. */
  readonly keepResult: (place: Place, result: NodeResult) => NodeFailure | null
  /** Why the run has to end here, once it told more than it may. */
  readonly excess: () => string | null
  /** Any failure as one the app may know; a fault of ours is reported and loses its message. */
  readonly keepFailure: (place: Place, error: unknown) => NodeFailure
  /** Takes what a container repeats; gives its first step. */
  readonly keepOpened: (execution: Execution, opened: Opened) => readonly RunStep[]
  /** The steps that a decision of the scheduler means, in the order in which readers see them. */
  readonly record: (commands: readonly SchedulerCommand[]) => readonly RunStep[]
}

/** Opens the book of a run that begins now, or goes on from a state. */
export function openRunBook(
  scheduler: Scheduler,
  frames: Frames,
  mode: AppMode,
  needs: Needs,
  from: BookState | null = null,
): RunBook {
  const { now, ids, onFault } = needs
  const startedAtMs = now() - (from?.elapsedMs ?? 0)
  const retrieved: Json[] = [...(from?.retrieved ?? [])]
  let usage = from?.usage ?? NO_USAGE
  let answer = from?.answer ?? ''
  let outputs: JsonObject = from?.outputs ?? {}

  let excess: string | null = null
  const { runChars, answerChars } = needs.services.limits
  // What a chat says is kept with its conversation, and read again at every turn.
  const mayTell = mode === 'workflow' ? runChars : answerChars

  const since = (fromMs: number) => Math.max(0, now() - fromMs) / 1000

  function say(frame: Frame, event: StreamEvent): readonly RunStep[] {
    let room = mayTell - answer.length
    // One event may complete thousands of placeholders: none is made into text that will not be told.
    const textOf = (selector: readonly string[]) => {
      const text = room < 0 ? '' : answerText(frame.cell.pool, selector)
      room -= text.length
      return text
    }
    const steps: RunStep[] = []
    for (const { delta, fromSelector } of tell(frame.plan, frame.stream, event, textOf)) {
      if (answer.length + delta.length > mayTell) excess ??= `the answer is longer than ${mayTell} characters`
      if (excess !== null) break
      answer += delta
      steps.push({ kind: 'text', delta, fromSelector })
    }
    return steps
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

  function begin(frame: Frame, execution: Execution): readonly RunStep[] {
    frame.entries.set(execution.nodeId, newEntry(ids(), now()))
    const isContainer = containerOf(frame.graph.nodes.get(execution.nodeId)) !== null
    return isContainer ? [] : [{ kind: 'node_started', ...refOf(frame, execution) }]
  }

  function settle(frame: Frame, command: Command<'settle_node'>): readonly RunStep[] {
    const { execution, status, outputs: given, error } = command
    const { nodeId } = execution
    const entry = frame.entries.get(nodeId)
    const node = frame.graph.nodes.get(nodeId)
    if (entry === undefined) return []
    const isReached = status === 'succeeded' || status === 'exception'
    if (isReached) addTo(frame.cell.pool, nodeId, given)
    if (isReached && node?.type === 'end' && frame === frames.root) outputs = { ...outputs, ...given }
    if (status === 'failed') frame.failure = entry.failure ?? unexplained(error)
    const elapsedS = since(entry.startedAtMs)
    const steps: RunStep[] = []
    if (containerOf(node) === null) steps.push(nodeFinished(frame, entry, command, elapsedS))
    else {
      if (entry.opened === null) steps.push(containerStarted(frame, entry, execution))
      steps.push(containerFinished(frame, entry, command, elapsedS))
    }
    if (!isReached) return steps
    frame.isStale = true
    return [...steps, ...say(frame, { kind: 'settled', nodeId, as: 'done' })]
  }

  function beginRound(frame: Frame, command: Command<'begin_round'>): readonly RunStep[] {
    if (!frames.begin(command)) return []
    const ref = refOf(frame, command.execution)
    return [{ kind: ref.nodeType === 'loop' ? 'loop_next' : 'iteration_next', ...ref, round: command.round }]
  }

  function end({ outcome, error }: Command<'finish'>): RunStep {
    const told = { outputs: mode === 'advanced-chat' ? { answer } : outputs, answer }
    const { steps: totalSteps, exceptions: exceptionsCount } = scheduler.counts()
    const totals: RunTotals = { usage, totalSteps, elapsedS: since(startedAtMs), exceptionsCount }
    if (outcome === 'stopped') return { kind: 'stopped', reason: error ?? '', ...told, ...totals }
    if (outcome === 'failed' || excess !== null) {
      const failure = excess === null ? (frames.root.failure ?? unexplained(error)) : unexplained(excess)
      return { kind: 'failed', failure, ...told, ...totals }
    }
    return { kind: outcome, ...told, retrieverResources: retrieved, ...totals }
  }

  /** What newly decided edges make certain; told before the next nodes begin. */
  function catchUp(): readonly RunStep[] {
    const steps: RunStep[] = []
    for (const [scope, frame] of frames.all()) {
      if (!frame.isStale) continue
      frame.isStale = false
      steps.push(...say(frame, { kind: 'edges', edges: scheduler.edges(scope) }))
    }
    return steps
  }

  function stepsOf(command: SchedulerCommand): readonly RunStep[] {
    if (command.kind === 'finish') return [end(command)]
    const frame = frames.at('execution' in command ? command.execution.scope : command.scope)
    if (frame === undefined) return []
    switch (command.kind) {
      case 'settle_node':
        return settle(frame, command)
      case 'skip_node':
        return say(frame, { kind: 'settled', nodeId: command.nodeId, as: 'skipped' })
      case 'begin_round':
        return beginRound(frame, command)
      case 'end_round':
        frames.end(command)
        return []
      case 'run_node':
        return command.attempt === 0 ? begin(frame, command) : []
      case 'retry_later':
        return [{ kind: 'node_retry', ...refOf(frame, command), error: command.error, retryIndex: command.attempt }]
      case 'check_loop':
      case 'close_container':
        return []
    }
  }

  return {
    atRest: () => ({ usage, answer, outputs, retrieved, elapsedMs: Math.max(0, now() - startedAtMs) }),
    wasHeard({ scope, nodeId }) {
      const frame = frames.at(scope)
      return frame !== undefined && heard(frame.stream, nodeId).length > 0
    },
    hear({ scope, nodeId }, delta) {
      const frame = frames.at(scope)
      return frame === undefined ? [] : say(frame, { kind: 'delta', nodeId, delta })
    },
    log(place, { label, status, data }) {
      const entry = frames.entryAt(place)
      return entry === undefined ? [] : [{ kind: 'agent_log', nodeExecutionId: entry.executionId, label, status, data }]
    },
    keepResult(place, result) {
      const frame = frames.at(place.scope)
      const entry = frames.entryAt(place)
      if (frame === undefined || entry === undefined) return null
      const { inputs, outputs, processData = {}, usage: used = null, retrieverResources = [] } = result
      const weight = weightOf(outputs)
      if (frames.held() + weight > runChars || weightOf(inputs) > runChars) {
        const facts = { usage: used }
        return new NodeFailure('VariableSizeError', `the run would hold more than ${runChars} characters`, facts)
      }
      frame.held += weight
      if (entry.opened === null) entry.inputs = inputs
      entry.processData = processData
      count(entry, used)
      retrieved.push(...retrieverResources)
      return null
    },
    excess: () => excess,
    keepFailure(place, error) {
      if (!(error instanceof NodeFailure)) onFault(error)
      const known = error instanceof NodeFailure ? error : asNodeFailure(failureBy(error))
      const entry = frames.entryAt(place)
      if (entry !== undefined) {
        entry.inputs = known.inputs
        entry.failure = known.failure
        count(entry, known.usage)
      }
      return known
    },
    keepOpened(execution, opened) {
      const frame = frames.at(execution.scope)
      const entry = frames.entryAt(execution)
      if (frame === undefined || entry === undefined) return []
      entry.opened = opened
      entry.inputs = opened.inputs
      const { pool } = frame.cell
      if (opened.shared !== null) frame.cell.pool = { ...pool, [execution.nodeId]: opened.shared }
      return [containerStarted(frame, entry, execution)]
    },
    record(commands) {
      const steps: RunStep[] = []
      // A run that is cut tells nothing more of its answer.
      const isCut = commands.some((command) => command.kind === 'finish' && command.error !== null)
      for (const command of commands) {
        const isEnd = command.kind === 'settle_node' || command.kind === 'skip_node'
        if (!isCut && !isEnd) steps.push(...catchUp())
        steps.push(...stepsOf(command))
      }
      return isCut ? steps : [...steps, ...catchUp()]
    },
  }
}

function unexplained(error: string | null): RunFailure {
  return { code: 'invalid_param', message: error ?? '' }
}

function asNodeFailure(failure: RunFailure): NodeFailure {
  return new NodeFailure('InternalError', failure.message, { failure })
}
