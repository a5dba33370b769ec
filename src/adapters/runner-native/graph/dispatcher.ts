import type { RunJob } from '#application/ports/app-runner.ts'
import type { Timer } from '#application/ports/clock.ts'
import { containerOf } from '../nodes/container-table.ts'
import type { LogEntry, NodeResult, NodeServices } from '../nodes/node-executor.ts'
import type { Frames } from './frames.ts'
import { createInbox } from './inbox.ts'
import type { Opened } from './rounds.ts'
import { openContainer, runNode } from './run-node.ts'
import type { Execution, Place, SchedulerCommand, SchedulerEvent } from './scheduler-events.ts'

/** What work under way says of itself. Whoever says a piece of text or of a log waits until it is `told`. */
export type Report =
  | { readonly kind: 'delta'; readonly place: Place; readonly delta: string; readonly told: () => void }
  | { readonly kind: 'logged'; readonly place: Place; readonly entry: LogEntry; readonly told: () => void }
  | { readonly kind: 'opened'; readonly execution: Execution; readonly opened: Opened }
  | { readonly kind: 'done'; readonly place: Place; readonly result: NodeResult }
  | { readonly kind: 'failed'; readonly place: Place; readonly error: unknown }
  | { readonly kind: 'decided'; readonly event: SchedulerEvent }

type Cut = Extract<SchedulerEvent, { kind: 'cut' }>

/** Starts what the scheduler decides, for one run, and hears of it. */
export type Dispatcher = {
  readonly carryOut: (command: SchedulerCommand) => void
  /** Does at once what has one report; when it throws, that is a failure of the node. */
  readonly attempt: (place: Place, work: () => Report) => void
  /** Has the run cut, before anything else that was reported. */
  readonly cut: (event: Cut) => void
  /** As `cut`, once so much time has passed. */
  readonly cutLater: (delayMs: number, event: Cut) => void
  /** The next report, when there is one. One caller at a time. */
  readonly next: () => Promise<Report>
  /** To be called once for every report that ends a piece of work; a cut ends none. */
  readonly noteEnd: () => void
  /** Whether nothing runs, and nothing will report by itself: a run that waits for people is then paused. */
  readonly isIdle: () => boolean
  /** Aborts whatever still runs, and lets go whoever waits to be told. */
  readonly close: () => void
}

/** The dispatcher of a run whose open scopes are those of `frames`. */
export function openDispatcher(
  { services, timer }: { readonly services: NodeServices; readonly timer: Timer },
  frames: Frames,
  job: RunJob,
): Dispatcher {
  const inbox = createInbox<Report>()
  const halts = new Map<number, AbortController>()
  for (const [scope] of frames.all()) halts.set(scope, new AbortController())
  const cancels = new Set<() => void>()
  let underway = 0

  const later = (delayMs: number, event: SchedulerEvent, where?: 'front') => {
    const cancel = timer(delayMs, () => {
      cancels.delete(cancel)
      inbox.push({ kind: 'decided', event }, where)
    })
    cancels.add(cancel)
  }
  const execute = (execution: Execution) => {
    underway += 1
    const place = { scope: execution.scope, nodeId: execution.nodeId }
    const halt = halts.get(place.scope)?.signal ?? AbortSignal.abort()
    const telling = {
      emit: (delta: string) => new Promise<void>((told) => inbox.push({ kind: 'delta', place, delta, told })),
      log: (entry: LogEntry) => new Promise<void>((told) => inbox.push({ kind: 'logged', place, entry, told })),
    }
    void runNode(services, frames, job, place, halt, telling).then(
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

  return {
    carryOut(command) {
      switch (command.kind) {
        case 'run_node':
          if (containerOf(frames.at(command.scope)?.graph.nodes.get(command.nodeId)) === null) execute(command)
          else
            attempt(command, () => ({
              kind: 'opened',
              execution: command,
              opened: openContainer(frames, command, services.limits),
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
    },
    attempt,
    cut: (event) => inbox.push({ kind: 'decided', event }, 'front'),
    cutLater: (delayMs, event) => later(delayMs, event, 'front'),
    next: inbox.next,
    noteEnd: () => {
      underway -= 1
    },
    isIdle: () => underway === 0,
    close() {
      for (const halt of halts.values()) halt.abort()
      for (const cancel of cancels) cancel()
      for (const report of inbox.drain()) if ('told' in report) report.told()
    },
  }
}
