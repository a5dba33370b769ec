import type { RunJob } from '#application/ports/app-runner.ts'
import type { RunLimits } from '../limits.ts'
import { containerOf } from '../nodes/container-table.ts'
import { NodeFailure, type NodeResult, type NodeServices, type NodeTask } from '../nodes/node-executor.ts'
import { executorOf } from '../nodes/node-table.ts'
import type { Frames } from './frames.ts'
import { metered } from './meter.ts'
import type { Opened } from './rounds.ts'
import type { Place } from './scheduler-events.ts'

/** What a container will repeat. */
export function openContainer(frames: Frames, { scope, nodeId }: Place, limits: RunLimits): Opened {
  const frame = frames.at(scope)
  const node = frame?.graph.nodes.get(nodeId)
  const container = containerOf(node)
  if (frame === undefined || node === undefined || container === null || !frame.graph.inner.has(nodeId)) {
    throw new NodeFailure('UnsupportedNode', 'there is nothing inside to repeat')
  }
  return container.open(node, frame.cell.pool, limits)
}

/** Executes one node on the variables of its scope. */
export async function runNode(
  services: NodeServices,
  frames: Frames,
  job: RunJob,
  { scope, nodeId }: Place,
  signal: AbortSignal,
  { emit, log }: Pick<NodeTask, 'emit' | 'log'>,
): Promise<NodeResult> {
  const frame = frames.at(scope)
  const node = frame?.graph.nodes.get(nodeId)
  const executor = executorOf(node?.type ?? '')
  if (frame === undefined || node === undefined || executor === null) {
    throw new NodeFailure('UnsupportedNode', `nodes of type ${node?.type ?? ''} cannot be run here`)
  }
  return executor.run({
    node,
    pool: metered(frame.cell.pool, services.limits.runChars),
    job,
    services,
    signal,
    assign: async (assignments) => {
      const kept = frames.assign(scope, assignments)
      if (Object.keys(kept).length > 0) await job.saveVariables(kept)
    },
    emit: signal.aborted ? async () => {} : emit,
    log: signal.aborted ? async () => {} : log,
  })
}
