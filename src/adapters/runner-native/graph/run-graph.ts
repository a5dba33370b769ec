import type { RunJob } from '#application/ports/app-runner.ts'
import type { Clock, Timer } from '#application/ports/clock.ts'
import type { NewId } from '#application/ports/secrets.ts'
import type { JsonObject } from '#domain/app.ts'
import type { RunStep } from '#domain/run.ts'
import { NodeFailure, type NodeResult, type NodeServices } from '../nodes/node-executor.ts'
import { executorOf } from '../nodes/node-table.ts'
import type { Graph } from './graph.ts'
import { createInbox } from './inbox.ts'
import { initialPool, startInputs } from './initial-pool.ts'
import { openRunBook, type RunBook } from './run-book.ts'
import { advance } from './scheduler.ts'
import { type Execution, INITIAL_STATE, type SchedulerCommand, type SchedulerEvent } from './scheduler-state.ts'

/** Upstream's limit for a run, 20 minutes. */
export const MAX_RUN_MS = 1_200_000

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
  | { readonly kind: 'delta'; readonly nodeId: string; readonly delta: string; readonly told: () => void }
  | { readonly kind: 'done'; readonly nodeId: string; readonly result: NodeResult }
  | { readonly kind: 'failed'; readonly nodeId: string; readonly error: unknown }
  | { readonly kind: 'retry_due'; readonly nodeId: string }
  | { readonly kind: 'cut'; readonly outcome: 'stopped' | 'failed'; readonly error: string }

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
  const halt = new AbortController()
  const cancels = new Set<() => void>()
  const book = openRunBook(graph, initialPool(workflow, job, needs.now()), job.app.mode, needs)
  let state = INITIAL_STATE

  const later = (delayMs: number, report: Report, where?: 'front') => {
    const cancel = needs.timer(delayMs, () => {
      cancels.delete(cancel)
      inbox.push(report, where)
    })
    cancels.add(cancel)
  }
  const onAbort = () => inbox.push({ kind: 'cut', outcome: 'stopped', error: stopReason(signal) }, 'front')
  const execute = (execution: Execution) => {
    const { nodeId } = execution
    void runNode(needs, graph, job, book, nodeId, halt.signal, (delta) => {
      return new Promise((told) => inbox.push({ kind: 'delta', nodeId, delta, told }))
    }).then(
      (result) => inbox.push({ kind: 'done', nodeId, result }),
      (error: unknown) => inbox.push({ kind: 'failed', nodeId, error }),
    )
  }
  const carryOut = (commands: readonly SchedulerCommand[]) => {
    for (const command of commands) {
      if (command.kind === 'run_node') execute(command)
      if (command.kind === 'retry_later') later(command.delayMs, { kind: 'retry_due', nodeId: command.nodeId })
    }
  }

  try {
    signal.addEventListener('abort', onAbort, { once: true })
    later(MAX_RUN_MS, { kind: 'cut', outcome: 'failed', error: 'the run took too long' }, 'front')
    yield { kind: 'run_started', inputs: startInputs(book.pool(), job.request.inputs), reason: 'initial' }
    if (signal.aborted) onAbort()
    let event: SchedulerEvent | null = { kind: 'start' }
    for (;;) {
      if (event !== null) {
        const advanced = advance(graph, state, event)
        state = advanced.state
        const steps = book.record(advanced.commands, state)
        carryOut(advanced.commands)
        yield* steps
        if (state.over) return
      }
      const report = await inbox.next()
      if (report.kind === 'delta') {
        yield* book.hear(report.nodeId, report.delta)
        report.told()
        event = null
      } else event = eventOf(report, book)
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    halt.abort()
    for (const cancel of cancels) cancel()
    for (const report of inbox.drain()) if (report.kind === 'delta') report.told()
  }
}

async function runNode(
  needs: GraphNeeds,
  graph: Graph,
  job: RunJob,
  book: RunBook,
  nodeId: string,
  signal: AbortSignal,
  emit: (delta: string) => Promise<void>,
): Promise<NodeResult> {
  const node = graph.nodes.get(nodeId)
  const executor = executorOf(node?.type ?? '')
  if (node === undefined || executor === null) {
    throw new NodeFailure('UnsupportedNode', `nodes of type ${node?.type ?? ''} cannot be run here`)
  }
  const pool = book.pool()
  return executor.run({
    node,
    pool,
    job,
    services: needs.services,
    signal,
    assign: async (assignments) => {
      const kept = book.assign(assignments)
      if (Object.keys(kept).length > 0) await job.saveVariables(kept)
    },
    emit: signal.aborted ? async () => {} : emit,
  })
}

function eventOf(report: Exclude<Report, { kind: 'delta' }>, book: RunBook): SchedulerEvent {
  switch (report.kind) {
    case 'done':
      book.keepResult(report.nodeId, report.result)
      return {
        kind: 'node_succeeded',
        nodeId: report.nodeId,
        outputs: report.result.outputs,
        handles: report.result.handles ?? null,
      }
    case 'failed': {
      const failure = book.keepFailure(report.nodeId, report.error)
      return {
        kind: 'node_failed',
        nodeId: report.nodeId,
        error: failure.message,
        errorType: failure.errorType,
        // A half-told answer cannot be unsaid, so what was streamed is not tried again.
        retryable: !book.wasHeard(report.nodeId),
      }
    }
    case 'retry_due':
    case 'cut':
      return report
  }
}

function stopReason(signal: AbortSignal): string {
  return typeof signal.reason === 'string' ? signal.reason : 'user'
}
