import type { RunJob } from '#application/ports/app-runner.ts'
import type { Clock, Timer } from '#application/ports/clock.ts'
import type { NewId } from '#application/ports/secrets.ts'
import type { JsonObject } from '#domain/app.ts'
import type { RunStep } from '#domain/run.ts'
import type { NodeServices } from '../nodes/node-executor.ts'
import { openDispatcher, type Report } from './dispatcher.ts'
import { openFrames } from './frames.ts'
import type { Graph } from './graph.ts'
import { initialPool, startInputs } from './initial-pool.ts'
import { openRunBook, type RunBook } from './run-book.ts'
import { openScheduler } from './scheduler.ts'
import type { SchedulerEvent } from './scheduler-events.ts'
import { answered, formFilled, formTimedOut, openWaitingRoom, resumptionOf, timedOut } from './waiting-room.ts'

/** What a graph run stands on. */
export type GraphNeeds = {
  readonly services: NodeServices
  readonly now: Clock
  readonly timer: Timer
  readonly ids: NewId
  /** Told of what nobody expected; the run itself only says that something went wrong. */
  readonly onFault: (error: unknown) => void
}

/**
 * Carries out what the scheduler decides. Its reader sets the pace: a piece of text is asked of the model only when
 * the one before was taken. Leaving the loop early aborts whatever still runs.
 */
export async function* runGraph(
  needs: GraphNeeds,
  graph: Graph,
  workflow: JsonObject,
  job: RunJob,
  signal: AbortSignal,
): AsyncGenerator<RunStep> {
  const resumed = resumptionOf(job)
  const scheduler = openScheduler(graph, resumed?.state.scheduler, needs.services.limits.steps)
  const frames = openFrames(graph, initialPool(workflow, job, needs.now()), resumed?.state ?? null)
  const book = openRunBook(scheduler, frames, job.app.mode, needs, resumed?.state.book ?? null)
  const people = openWaitingRoom(job.pausing, needs.ids, resumed?.others)
  const work = openDispatcher(needs, frames, job)
  const onAbort = () => work.cut({ kind: 'cut', outcome: 'stopped', error: stopReason(signal) })

  try {
    signal.addEventListener('abort', onAbort, { once: true })
    const tooLong = { kind: 'cut', outcome: 'failed', error: 'the run took too long' } as const
    work.cutLater(needs.services.limits.runSeconds * 1000, tooLong)
    const reason = resumed === null ? 'initial' : 'resumption'
    yield { kind: 'run_started', inputs: startInputs(frames.root.cell.pool, job.request.inputs), reason }
    if (signal.aborted) onAbort()
    let event: SchedulerEvent | null = { kind: 'start' }
    if (resumed !== null) {
      const { found, answer } = resumed
      const { form, execution: place } = found
      yield answer === null ? formTimedOut(form) : formFilled(form, answer)
      const result = () => (answer === null ? timedOut(form) : answered(form, answer))
      work.attempt(place, () => ({ kind: 'done', place, result: result() }))
      event = null
    }
    for (;;) {
      if (event !== null) {
        const commands = scheduler.advance(event)
        const steps = book.record(commands)
        for (const command of commands) work.carryOut(command)
        yield* steps
        if (scheduler.isOver()) return
      }
      const excess = book.excess()
      if (excess !== null) {
        event = { kind: 'cut', outcome: 'failed', error: excess }
        continue
      }
      if (work.isIdle() && !people.isEmpty() && !signal.aborted) {
        yield await people.pause({ scheduler: scheduler.state(), ...frames.atRest(), book: book.atRest() })
        return
      }
      const report = await work.next()
      if (report.kind === 'delta') {
        yield* book.hear(report.place, report.delta)
        report.told()
        event = null
      } else if (report.kind === 'logged') {
        yield* book.log(report.place, report.entry)
        report.told()
        event = null
      } else if (report.kind === 'done' && report.result.asks !== undefined) {
        work.noteEnd()
        yield* people.ask(report.place, frames.at(report.place.scope)?.graph, report.result.asks)
        event = null
      } else {
        if (report.kind !== 'decided' || report.event.kind !== 'cut') work.noteEnd()
        if (report.kind === 'opened') yield* book.keepOpened(report.execution, report.opened)
        event = eventOf(report, book)
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    work.close()
  }
}

function eventOf(report: Exclude<Report, { kind: 'delta' | 'logged' }>, book: RunBook): SchedulerEvent {
  switch (report.kind) {
    case 'opened': {
      const { scope, nodeId } = report.execution
      return { kind: 'container_opened', scope, nodeId, plan: report.opened.plan }
    }
    case 'done': {
      const { place } = report
      const tooMuch = book.keepResult(place, report.result)
      if (tooMuch !== null) return eventOf({ kind: 'failed', place, error: tooMuch }, book)
      const { outputs, handles = null } = report.result
      return { kind: 'node_succeeded', ...place, outputs, handles }
    }
    case 'failed': {
      const { scope, nodeId } = report.place
      const { message: error, errorType } = book.keepFailure(report.place, report.error)
      // A half-told answer cannot be unsaid, so what was streamed is not tried again.
      return { kind: 'node_failed', scope, nodeId, error, errorType, retryable: !book.wasHeard(report.place) }
    }
    case 'decided':
      return report.event
  }
}

function stopReason(signal: AbortSignal): string {
  return typeof signal.reason === 'string' ? signal.reason : 'user'
}
