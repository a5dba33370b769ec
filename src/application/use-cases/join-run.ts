import { familyOf } from '#domain/app-mode.ts'
import { DomainError } from '#domain/errors.ts'
import { isEnding, type RunEnding, type RunEvent, type RunIds } from '#domain/run.ts'
import type { Mounted } from '../auth/pipeline.ts'
import type { Clock, Timer } from '../ports/clock.ts'
import type { RunLog } from '../ports/run-log.ts'
import type { RunResult, RunStore, StoredRun } from '../ports/run-store.ts'
import type { StartedRun } from './run-app.ts'

type Needs = { runs: RunStore; runLog: RunLog; now: Clock; timer: Timer }

export type Joining = {
  /** Tells what happened so far first. */
  readonly fromStart: boolean
  /** Waits for the answer of a person, and goes on with the run; else the pause is the last event. */
  readonly throughPauses: boolean
}

/**
 * Follows one of the caller's own runs of this app, by its id or its task's, wherever it is carried. One that has ended
 * is told as it was stored.
 * @throws DomainError `not_found` for anybody else's, `service_unavailable` while its process cannot be heard of
 */
export type JoinRun = (admitted: Mounted, id: string, how: Joining, gone: AbortSignal) => Promise<StartedRun>

const LOOK_AGAIN_MS = 1000

export function makeJoinRun({ runs, runLog, now, timer }: Needs): JoinRun {
  return async ({ app, caller }, id, how, gone) => {
    const run = await runs.find(id)
    const own = run?.appId === app.id && run.owner.kind === caller.owner.kind && run.owner.id === caller.owner.id
    if (!own) throw new DomainError('not_found', {})
    // Said before the answer begins: a stream that ends at once would look like a run without events.
    if (!isOver(run)) await runLog.reach(run.id)
    const events = isOver(run) ? storedEvents(run) : follow(run, how, gone)
    return { ids: idsOf(run), mode: run.mode, createdAtMs: run.createdAtMs, events }
  }

  async function* follow(joined: StoredRun, how: Joining, gone: AbortSignal): AsyncGenerator<RunEvent> {
    let run: StoredRun | null = joined
    let from: number | 'now' = how.fromStart ? 1 : 'now'
    let newerThanMs = 0
    while (run !== null && !gone.aborted) {
      const told: Told = yield* part(run, from, newerThanMs, gone)
      const last = told === 'former' ? null : told
      if (last !== null && isEnding(last)) return
      run = await runs.find(joined.id)
      if (run !== null && isOver(run)) {
        yield endingOf(run)
        return
      }
      if (told === 'former') {
        await aMoment(gone)
        continue
      }
      // The beginning of a run that told a lot is dropped: what it began with, and what is yet to come, is better than nothing.
      if (last === null && from === 1 && run?.status === 'running') {
        yield startOf(run)
        from = 'now'
        continue
      }
      const isPaused = last?.kind === 'paused' || run?.status === 'paused'
      if (last?.kind !== 'paused' && isPaused) yield pausedEvent(now())
      // Cut for falling too far behind, or its process cannot be heard of: the caller may join again.
      if (!isPaused || !how.throughPauses) return
      newerThanMs = last?.atMs ?? now()
      from = 1
      run = await answered(joined.id, gone)
    }
  }

  /** Tells one part of a run, up to its ending or its pause, which it returns; what was told before is not told again. */
  async function* part(
    { id, status }: StoredRun,
    from: number | 'now',
    newerThanMs: number,
    gone: AbortSignal,
  ): AsyncGenerator<RunEvent, Told> {
    const stop = new AbortController()
    const onGone = () => stop.abort()
    gone.addEventListener('abort', onGone, { once: true })
    // What a paused run told may be forgotten by now, and then nothing ever comes.
    const cancel = status === 'paused' ? timer(LOOK_AGAIN_MS, onGone) : () => {}
    try {
      for await (const event of runLog.read(id, from, stop.signal)) {
        // It goes on already, in a process that has yet to begin its log anew.
        if (event.atMs < newerThanMs) return 'former'
        yield event
        if (event.kind === 'paused' || isEnding(event)) return event
      }
    } catch (error) {
      if (!(error instanceof DomainError && error.code === 'service_unavailable')) throw error
    } finally {
      cancel()
      gone.removeEventListener('abort', onGone)
    }
    return null
  }

  /** Resolves when nobody is waited for any more. */
  async function answered(runId: string, gone: AbortSignal): Promise<StoredRun | null> {
    for (;;) {
      const run = await runs.find(runId)
      if (run?.status !== 'paused' || gone.aborted) return run
      await aMoment(gone)
    }
  }

  async function aMoment(gone: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = timer(LOOK_AGAIN_MS, again)
      gone.addEventListener('abort', again)
      function again() {
        cancel()
        gone.removeEventListener('abort', again)
        resolve()
      }
    })
  }
}

/** The last event of a part; null when there is none, `former` when the log still holds the part before. */
type Told = RunEvent | null | 'former'

type Ended = StoredRun & { readonly result: RunResult }

function isOver(run: StoredRun): run is Ended {
  return run.status !== 'running' && run.status !== 'paused' && run.result !== null
}

function idsOf({ id, taskId, workflowId, messageId, conversationId }: StoredRun): RunIds {
  return { runId: id, taskId, workflowId, messageId, conversationId }
}

async function* storedEvents(run: Ended): AsyncGenerator<RunEvent> {
  yield startOf(run)
  const hasAnswer = familyOf(run.mode) !== 'workflow' && run.answer
  if (hasAnswer) yield { kind: 'text', delta: hasAnswer, fromSelector: null, seq: 2, atMs: run.createdAtMs }
  yield { ...endingOf(run), seq: hasAnswer ? 3 : 2 }
}

function startOf({ inputs, createdAtMs }: StoredRun): RunEvent {
  return { kind: 'run_started', inputs, reason: 'initial', seq: 1, atMs: createdAtMs }
}

function endingOf({ status, answer, result }: Ended): RunEvent {
  const { outputs, usage, totalSteps, exceptionsCount, elapsedS, finishedAtMs, error } = result
  const common = { outputs, answer: answer ?? '', usage, totalSteps, exceptionsCount, elapsedS }
  const at = { seq: 1, atMs: finishedAtMs }
  switch (status) {
    case 'succeeded':
      return { kind: 'succeeded', retrieverResources: [], ...common, ...at }
    case 'partial-succeeded':
      return { kind: 'partial', retrieverResources: [], ...common, ...at }
    case 'failed':
      return { kind: 'failed', failure: failureOf(error), ...common, ...at }
    default:
      return { kind: 'stopped', reason: 'user', ...common, ...at }
  }
}

/** Of a stored failure only the words are known. */
function failureOf(error: string | null): Extract<RunEnding, { kind: 'failed' }>['failure'] {
  const ours = 'Internal Server Error'
  return error === null || error === ours
    ? { code: 'internal_server_error', message: ours }
    : { code: 'completion_request_error', message: error }
}

function pausedEvent(atMs: number): RunEvent {
  const totals = { usage: { promptTokens: 0, completionTokens: 0, totalTokens: 0 }, totalSteps: 0, elapsedS: 0 }
  return { kind: 'paused', reasons: [], ...totals, exceptionsCount: 0, seq: 1, atMs }
}
