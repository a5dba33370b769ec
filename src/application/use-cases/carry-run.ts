import { isGraphMode, onHangUp } from '#domain/app-mode.ts'
import { DomainError } from '#domain/errors.ts'
import { isEnding, NO_USAGE, type RunEnding, type RunFailure, type RunStep } from '#domain/run.ts'
import type { AppRunner, RunJob } from '../ports/app-runner.ts'
import type { Clock } from '../ports/clock.ts'
import type { Conversation, ConversationStore, Owner } from '../ports/conversation-store.ts'
import type { Log } from '../ports/log.ts'
import type { RunControl } from '../ports/run-control.ts'
import type { RunLog } from '../ports/run-log.ts'
import type { RunSlots, Slot } from '../ports/run-slots.ts'
import type { RunStatus, RunStore } from '../ports/run-store.ts'
import type { TraceRun } from './trace-run.ts'

type Needs = {
  runner: AppRunner
  runs: RunStore
  conversations: ConversationStore
  runLog: RunLog
  runControl: RunControl
  runSlots: RunSlots
  underway: Underway
  traces: TraceRun
  log: Log
  now: Clock
}

/** What this process carries now, by run id. */
export type Underway = Map<string, Slot & { readonly taskId: string }>

export type Carriage = {
  readonly job: RunJob
  readonly owner: Owner
  /** Stored once the run has really begun; null when it exists already or the mode has none. */
  readonly newConversation: Conversation | null
  readonly parentMessageId: string | null
  /** Called when what the run tells can be read: that of a paused run begins anew. */
  readonly onReadable?: () => void
}

/** Carries one run from its first step to its stored ending, whether or not anybody reads along. Never throws. */
export type CarryRun = (carriage: Carriage) => Promise<void>

/**
 * Whether the caller can no longer be told of a failure by a status: a graph has begun with its first step, a
 * prompt app with its first word.
 */
export function isUnderway(mode: RunJob['app']['mode'], step: RunStep): boolean {
  if (isGraphMode(mode)) return true
  return step.kind !== 'run_started' && step.kind !== 'failed'
}

export function makeCarryRun(needs: Needs): CarryRun {
  const { runner, runLog, runControl, runSlots, underway, log } = needs
  const carried = new Map<string, Promise<void>>()

  /** A pause may be answered before its last word was told: both parts write one log, so the second waits its turn. */
  return async (carriage) => {
    const { runId } = carriage.job.ids
    const before = carried.get(runId)
    // At once where it can: a stop that comes in the same turn must find the run carried.
    const turn = before === undefined ? carry(carriage) : before.then(() => carry(carriage))
    carried.set(runId, turn)
    await turn
    if (carried.get(runId) === turn) carried.delete(runId)
  }

  async function carry(carriage: Carriage): Promise<void> {
    const { job } = carriage
    const { runId, taskId } = job.ids
    const slot = { workspaceId: job.app.workspaceId, runId, taskId }
    underway.set(runId, slot)
    const isReady = runLog.begin(runId, { anew: job.resume !== undefined })
    // Before anything is waited for: a stop finds the run from now on.
    const { signal, done } = runControl.carry(taskId)
    if (job.resume !== undefined) await Promise.all([isReady, runSlots.renew([slot])])
    carriage.onReadable?.()
    const pace = onHangUp(job.app.mode) === 'stop'
    let begun = false
    let ended = false
    let broken: unknown = null
    const trace = needs.traces(job)
    try {
      for await (const said of runner.run(job, signal)) {
        const step = unlessStopped(said, signal)
        if (!begun && isUnderway(job.app.mode, step)) {
          begun = true
          if (carriage.newConversation !== null) await needs.conversations.create(carriage.newConversation)
        }
        trace.take(step)
        // A pause was kept before it is told: another process goes on from there.
        if (step.kind === 'paused') ended = true
        if (isEnding(step)) {
          await settle(needs, carriage, step, begun)
          ended = true
        }
        await runLog.append(runId, forReaders(step), { pace: pace && !isEnding(step) && step.kind !== 'paused' })
      }
    } catch (error) {
      log.error('run broke', { runId, error })
      broken = error
    }
    if (!ended) await end(needs, carriage, begun, broken)
    done()
    underway.delete(runId)
    await runLog.close(runId)
    await runSlots.free(slot)
    // Last: nobody waits for what only operators read.
    await trace.close()
  }
}

/** What a node saw and made is told to no reader: it stays out of the log, which other processes share. */
function forReaders(step: RunStep): RunStep {
  return step.kind === 'node_finished' ? { ...step, inputs: {}, processData: {}, outputs: {}, error: null } : step
}

/** A pause that was being kept when somebody stopped the run is its end: nobody carries it afterwards. */
function unlessStopped(step: RunStep, { reason }: AbortSignal): RunStep {
  if (step.kind !== 'paused' || reason !== 'user') return step
  const { usage, totalSteps, elapsedS, exceptionsCount } = step
  return { kind: 'stopped', reason, outputs: {}, answer: '', usage, totalSteps, elapsedS, exceptionsCount }
}

/** What is left to do when a run broke without an ending of its own: readers hear of it even if no store does. */
async function end(needs: Needs, carriage: Carriage, begun: boolean, broken: unknown): Promise<void> {
  const { runId } = carriage.job.ids
  const totals = { usage: NO_USAGE, totalSteps: 0, elapsedS: 0, exceptionsCount: 0 }
  const step: RunEnding = { kind: 'failed', failure: failureBy(broken), outputs: {}, answer: '', ...totals }
  const unrecorded = (error: unknown) => needs.log.error('broken run not recorded', { runId, error })
  await settle(needs, carriage, step, begun).catch(unrecorded)
  await needs.runLog.append(runId, step, { pace: false }).catch(unrecorded)
}

/** A store that is away is no fault of the server's: the caller may come again. */
function failureBy(broken: unknown): RunFailure {
  const isAway = broken instanceof DomainError && broken.code === 'service_unavailable'
  return isAway
    ? { code: 'service_unavailable', message: 'Service Unavailable' }
    : { code: 'internal_server_error', message: 'Internal Server Error' }
}

const STATUS: Record<RunEnding['kind'], Exclude<RunStatus, 'running'>> = {
  succeeded: 'succeeded',
  partial: 'partial-succeeded',
  failed: 'failed',
  stopped: 'stopped',
}

/** Stores the ending before anybody hears of it. */
async function settle(needs: Needs, carriage: Carriage, ending: RunEnding, begun: boolean): Promise<void> {
  const { job, owner, parentMessageId } = carriage
  const { usage, totalSteps, exceptionsCount, elapsedS, outputs } = ending
  const error = ending.kind === 'failed' ? ending.failure.message : null
  const finishedAtMs = needs.now()
  const result = {
    status: STATUS[ending.kind],
    outputs,
    error,
    usage,
    totalSteps,
    exceptionsCount,
    elapsedS,
    finishedAtMs,
  }
  await needs.runs.finish(job.ids.runId, result)
  if (!begun || job.app.mode === 'workflow') return
  await needs.conversations.addMessage({
    id: job.ids.messageId,
    conversationId: job.ids.conversationId,
    appId: job.app.id,
    runId: job.ids.runId,
    parentId: parentMessageId,
    owner,
    query: job.request.query,
    answer: ending.answer,
    status: ending.kind === 'failed' ? 'error' : ending.kind === 'stopped' ? 'stopped' : 'normal',
    error,
    usage,
    createdAtMs: finishedAtMs,
  })
}
