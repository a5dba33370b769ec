import type { NodeRef, RunStep } from '#domain/run.ts'
import type { Entry, Frame } from './frame.ts'
import type { Execution, SchedulerCommand } from './scheduler-events.ts'

type Settled = Extract<SchedulerCommand, { kind: 'settle_node' }>

/** An execution as every step names it. */
export function refOf(frame: Frame, { nodeId, index, predecessorNodeId }: Execution): NodeRef {
  const node = frame.graph.nodes.get(nodeId)
  return {
    executionId: frame.entries.get(nodeId)?.executionId ?? '',
    nodeId,
    nodeType: node?.type ?? '',
    title: node?.title ?? '',
    index,
    predecessorNodeId,
    iterationId: frame.iterationId,
    loopId: frame.loopId,
  }
}

/** The end of a node's execution. */
export function nodeFinished(frame: Frame, entry: Entry, settled: Settled, elapsedS: number): RunStep {
  const { execution, status, outputs, error } = settled
  const { inputs, processData, usage } = entry
  return {
    kind: 'node_finished',
    ...refOf(frame, execution),
    status,
    inputs,
    processData,
    outputs,
    error,
    elapsedS,
    usage,
  }
}

/** The beginning of a container, which tells how often it repeats when that is known. */
export function containerStarted(frame: Frame, entry: Entry, execution: Execution): RunStep {
  const ref = refOf(frame, execution)
  const kind = ref.nodeType === 'loop' ? 'loop_started' : 'iteration_started'
  return { kind, ...ref, inputs: entry.inputs, length: entry.opened?.plan.rounds ?? null }
}

/** The end of a container: readers know no other ends of it than well and not well. */
export function containerFinished(frame: Frame, entry: Entry, settled: Settled, elapsedS: number): RunStep {
  const { execution, status, outputs, error } = settled
  const ref = refOf(frame, execution)
  return {
    kind: ref.nodeType === 'loop' ? 'loop_completed' : 'iteration_completed',
    ...ref,
    status: status === 'succeeded' ? 'succeeded' : 'failed',
    outputs,
    error: status === 'stopped' ? 'stopped' : error,
    elapsedS,
    rounds: entry.results.length,
  }
}
