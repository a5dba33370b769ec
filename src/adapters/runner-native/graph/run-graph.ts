import type { RunJob } from '#application/ports/app-runner.ts'
import type { Clock, Timer } from '#application/ports/clock.ts'
import type { NewId } from '#application/ports/secrets.ts'
import type { JsonObject } from '#domain/app.ts'
import type { RunStep } from '#domain/run.ts'
import { containerOf } from '../nodes/container-table.ts'
import type { LogEntry, NodeResult, NodeServices } from '../nodes/node-executor.ts'
import { openFrames } from './frames.ts'
import type { Graph } from './graph.ts'
import { createInbox } from './inbox.ts'
import { initialPool, startInputs } from './initial-pool.ts'
import type { Opened } from './rounds.ts'
import { openRunBook, type RunBook } from './run-book.ts'
import { openContainer, runNode } from './run-node.ts'
import { openScheduler } from './scheduler.ts'
import type { Execution, Place, SchedulerCommand, SchedulerEvent } from './scheduler-events.ts'
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

type Report =
  | { readonly kind: 'delta'; readonly place: Place; readonly delta: string; readonly told: () => void }
  | { readonly kind: 'logged'; readonly place: Place; readonly entry: LogEntry; readonly told: () => void }
  | { readonly kind: 'opened'; readonly execution: Execution; readonly opened: Opened }
  | { readonly kind: 'done'; readonly place: Place; readonly result: NodeResult }
  | { readonly kind: 'failed'; readonly place: Place; readonly error: unknown }
  | { readonly kind: 'decided'; readonly event: SchedulerEvent }

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
  const inbox = createInbox<Report>()
  const halts = new Map<number, AbortController>([[0, new AbortController()]])
  const cancels = new Set<() => void>()
  const resumed = resumptionOf(job)
  const scheduler = openScheduler(graph, resumed?.state.scheduler, needs.services.limits.steps)
  const frames = openFrames(graph, initialPool(workflow, job, needs.now()), resumed?.state ?? null)
  const book = openRunBook(scheduler, frames, job.app.mode, needs, resumed?.state.book ?? null)
  const people = openWaitingRoom(job.pausing, needs.ids, resumed?.others)
  for (const [scope] of frames.all()) if (scope > 0) halts.set(scope, new AbortController())
  // What still runs, or will report by itself: a run without any that waits for people is paused.
  let underway = 0

  const later = (delayMs: number, event: SchedulerEvent, where?: 'front') => {
    const cancel = needs.timer(delayMs, () => {
      cancels.delete(cancel)
      inbox.push({ kind: 'decided', event }, where)
    })
    cancels.add(cancel)
  }
  const onAbort = () => {
    const event = { kind: 'cut', outcome: 'stopped', error: stopReason(signal) } as const
    inbox.push({ kind: 'decided', event }, 'front')
  }
  const execute = (execution: Execution) => {
    underway += 1
    const place = { scope: execution.scope, nodeId: execution.nodeId }
    const halt = halts.get(place.scope)?.signal ?? AbortSignal.abort()
    const telling = {
      emit: (delta: string) => new Promise<void>((told) => inbox.push({ kind: 'delta', place, delta, told })),
      log: (entry: LogEntry) => new Promise<void>((told) => inbox.push({ kind: 'logged', place, entry, told })),
    }
    void runNode(needs.services, frames, job, place, halt, telling).then(
      (result) => inbox.push({ kind: 'done', place, result }),
      (error: unknown) => inbox.push({ kind: 'failed', place, error }),
    )
  }
  const attempt = (place: Place, work: () => Report) => {
    underway += 1
    try {
      inbox.push(work())
    } catch (error) {
      inbox.push({ kind: 'failed', place, error })
    }
  }
  const carryOut = (command: SchedulerCommand) => {
    switch (command.kind) {
      case 'run_node':
        if (containerOf(frames.at(command.scope)?.graph.nodes.get(command.nodeId)) === null) execute(command)
        else
          attempt(command, () => ({
            kind: 'opened',
            execution: command,
            opened: openContainer(frames, command, needs.services.limits),
          }))
        break
      case 'retry_later':
        underway += 1
        later(command.delayMs, { kind: 'retry_due', scope: command.scope, nodeId: command.nodeId })
        break
      case 'begin_round':
        halts.set(command.inner, new AbortController())
        break
      case 'end_round':
        halts.get(command.inner)?.abort()
        halts.delete(command.inner)
        break
      case 'check_loop': {
        const { scope, nodeId } = command.execution
        attempt(command.execution, () => {
          const again = frames.again({ scope, nodeId })
          return { kind: 'decided', event: { kind: 'loop_checked', scope, nodeId, again } }
        })
        break
      }
      case 'close_container': {
        const place = command.execution
        attempt(place, () => ({ kind: 'done', place, result: { inputs: {}, outputs: frames.outputsOf(place) } }))
      }
    }
  }

  try {
    signal.addEventListener('abort', onAbort, { once: true })
    later(
      needs.services.limits.runSeconds * 1000,
      { kind: 'cut', outcome: 'failed', error: 'the run took too long' },
      'front',
    )
    const reason = resumed === null ? 'initial' : 'resumption'
    yield { kind: 'run_started', inputs: startInputs(frames.root.cell.pool, job.request.inputs), reason }
    if (signal.aborted) onAbort()
    let event: SchedulerEvent | null = { kind: 'start' }
    if (resumed !== null) {
      const { found, answer } = resumed
      const { form, execution: place } = found
      yield answer === null ? formTimedOut(form) : formFilled(form, answer)
      const result = () => (answer === null ? timedOut(form) : answered(form, answer))
      attempt(place, () => ({ kind: 'done', place, result: result() }))
      event = null
    }
    for (;;) {
      if (event !== null) {
        const commands = scheduler.advance(event)
        const steps = book.record(commands)
        for (const command of commands) carryOut(command)
        yield* steps
        if (scheduler.isOver()) return
      }
      const excess = book.excess()
      if (excess !== null) {
        event = { kind: 'cut', outcome: 'failed', error: excess }
        continue
      }
      if (underway === 0 && !people.isEmpty() && !signal.aborted) {
        yield await people.pause({ scheduler: scheduler.state(), ...frames.atRest(), book: book.atRest() })
        return
      }
      const report = await inbox.next()
      if (report.kind === 'delta') {
        yield* book.hear(report.place, report.delta)
        report.told()
        event = null
      } else if (report.kind === 'logged') {
        yield* book.log(report.place, report.entry)
        report.told()
        event = null
      } else if (report.kind === 'done' && report.result.asks !== undefined) {
        underway -= 1
        yield* people.ask(report.place, frames.at(report.place.scope)?.graph, report.result.asks)
        event = null
      } else {
        if (report.kind !== 'decided' || report.event.kind !== 'cut') underway -= 1
        if (report.kind === 'opened') yield* book.keepOpened(report.execution, report.opened)
        event = eventOf(report, book)
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    for (const halt of halts.values()) halt.abort()
    for (const cancel of cancels) cancel()
    for (const report of inbox.drain()) if ('told' in report) report.told()
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
