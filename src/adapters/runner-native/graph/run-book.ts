import type { Clock } from '#application/ports/clock.ts'
import type { NewId } from '#application/ports/secrets.ts'
import type { JsonObject } from '#domain/app.ts'
import type { AppMode } from '#domain/app-mode.ts'
import type { RunFailure, RunStep, RunTotals } from '#domain/run.ts'
import type { RunLimits } from '../limits.ts'
import { containerOf } from '../nodes/container-table.ts'
import type { LogEntry } from '../nodes/node-executor.ts'
import { type Frame, newEntry } from './frame.ts'
import type { Frames } from './frames.ts'
import type { Opened } from './rounds.ts'
import { openRunLedger, type RunLedger } from './run-ledger.ts'
import type { BookState } from './run-state.ts'
import type { Scheduler } from './scheduler.ts'
import type { Execution, Place, SchedulerCommand } from './scheduler-events.ts'
import { containerFinished, containerStarted, nodeFinished, refOf } from './step-words.ts'
import { openToldAnswer, type ToldAnswer } from './told-answer.ts'
import { addTo } from './variable-pool.ts'

type Needs = {
  readonly now: Clock
  readonly ids: NewId
  readonly services: { readonly limits: Pick<RunLimits, 'runChars' | 'answerChars'> }
  readonly onFault: (error: unknown) => void
}
type Command<K extends SchedulerCommand['kind']> = Extract<SchedulerCommand, { kind: K }>

/** One graph run's answer and totals, and its steps in words. */
export type RunBook = Pick<ToldAnswer, 'hear' | 'wasHeard' | 'excess'> &
  Pick<RunLedger, 'keepResult' | 'keepFailure'> & {
    readonly atRest: () => BookState
    /** What an agent does, in words. */
    readonly log: (place: Place, entry: LogEntry) => readonly RunStep[]
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
  const { now, ids } = needs
  const { runChars, answerChars } = needs.services.limits
  // What a chat says is kept with its conversation, and read again at every turn.
  const mayTell = mode === 'workflow' ? runChars : answerChars
  const answer = openToldAnswer(scheduler, frames, mayTell, from?.answer ?? '')
  const ledger = openRunLedger(frames, runChars, needs.onFault, from)
  const startedAtMs = now() - (from?.elapsedMs ?? 0)
  let outputs: JsonObject = from?.outputs ?? {}

  const since = (fromMs: number) => Math.max(0, now() - fromMs) / 1000

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
    return [...steps, ...answer.say(frame, { kind: 'settled', nodeId, as: 'done' })]
  }

  function beginRound(frame: Frame, command: Command<'begin_round'>): readonly RunStep[] {
    if (!frames.begin(command)) return []
    const ref = refOf(frame, command.execution)
    return [{ kind: ref.nodeType === 'loop' ? 'loop_next' : 'iteration_next', ...ref, round: command.round }]
  }

  function end({ outcome, error }: Command<'finish'>): RunStep {
    const said = answer.text()
    const told = { outputs: mode === 'advanced-chat' ? { answer: said } : outputs, answer: said }
    const { steps: totalSteps, exceptions: exceptionsCount } = scheduler.counts()
    const totals: RunTotals = { usage: ledger.usage(), totalSteps, elapsedS: since(startedAtMs), exceptionsCount }
    if (outcome === 'stopped') return { kind: 'stopped', reason: error ?? '', ...told, ...totals }
    const excess = answer.excess()
    if (outcome === 'failed' || excess !== null) {
      const failure = excess === null ? (frames.root.failure ?? unexplained(error)) : unexplained(excess)
      return { kind: 'failed', failure, ...told, ...totals }
    }
    return { kind: outcome, ...told, retrieverResources: ledger.retrieved(), ...totals }
  }

  function stepsOf(command: SchedulerCommand): readonly RunStep[] {
    if (command.kind === 'finish') return [end(command)]
    const frame = frames.at('execution' in command ? command.execution.scope : command.scope)
    if (frame === undefined) return []
    switch (command.kind) {
      case 'settle_node':
        return settle(frame, command)
      case 'skip_node':
        return answer.say(frame, { kind: 'settled', nodeId: command.nodeId, as: 'skipped' })
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
    atRest: () => ({
      usage: ledger.usage(),
      answer: answer.text(),
      outputs,
      retrieved: ledger.retrieved(),
      elapsedMs: Math.max(0, now() - startedAtMs),
    }),
    wasHeard: answer.wasHeard,
    hear: answer.hear,
    log(place, { label, status, data }) {
      const entry = frames.entryAt(place)
      return entry === undefined ? [] : [{ kind: 'agent_log', nodeExecutionId: entry.executionId, label, status, data }]
    },
    keepResult: ledger.keepResult,
    excess: answer.excess,
    keepFailure: ledger.keepFailure,
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
        if (!isCut && !isEnd) steps.push(...answer.catchUp())
        steps.push(...stepsOf(command))
      }
      return isCut ? steps : [...steps, ...answer.catchUp()]
    },
  }
}

function unexplained(error: string | null): RunFailure {
  return { code: 'invalid_param', message: error ?? '' }
}
