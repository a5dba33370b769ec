import type { Json, JsonObject } from '#domain/app.ts'
import { containerOf } from '../nodes/container-table.ts'
import type { Assignment } from '../nodes/node-executor.ts'
import { type Entry, type Frame, newFrame } from './frame.ts'
import type { Graph } from './graph.ts'
import { entryFromRest, framesAtRest, type RunState } from './run-state.ts'
import type { Place, SchedulerCommand } from './scheduler-events.ts'
import { planStream, type StreamPlan } from './stream-plan.ts'
import type { VariablePool } from './variable-pool.ts'
import { weightOf } from './weight.ts'

type Command<K extends SchedulerCommand['kind']> = Extract<SchedulerCommand, { kind: K }>

/** The scopes of a run that are open: the run itself, and every round under way. */
export type Frames = {
  readonly root: Frame
  /** The scopes as plain JSON. */
  readonly atRest: () => ReturnType<typeof framesAtRest>
  readonly all: () => Iterable<readonly [number, Frame]>
  readonly at: (scope: number) => Frame | undefined
  readonly entryAt: (place: Place) => Entry | undefined
  /** Changes variables; gives those of the conversation, which outlive the run. */
  readonly assign: (scope: number, assignments: readonly Assignment[]) => JsonObject
  /** Opens the scope of a round; false when there is nothing to repeat. */
  readonly begin: (command: Command<'begin_round'>) => boolean
  /** Closes the scope of a round and keeps what it came to. */
  readonly end: (command: Command<'end_round'>) => void
  /** Whether a loop goes on, by its variables. */
  readonly again: (place: Place) => boolean
  /** What all rounds of a container came to. */
  readonly outputsOf: (place: Place) => JsonObject
  /** Characters of what all open scopes hold. */
  readonly held: () => number
}

/** The frames of a run that begins now, or goes on from a state. */
export function openFrames(graph: Graph, initial: VariablePool, from: RunState | null = null): Frames {
  const plans = new Map<Graph, StreamPlan>()
  const frames = new Map<number, Frame>()
  if (from !== null) takeUp(from)
  const root = frames.get(0) ?? newFrame(graph, planOf(graph), { pool: initial }, { iterationId: null, loopId: null })
  frames.set(0, root)
  const entryAt = ({ scope, nodeId }: Place) => frames.get(scope)?.entries.get(nodeId)

  function takeUp({ scheduler, cells: pools, frames: kept }: RunState): void {
    const cells = pools.map((pool) => ({ pool: { ...pool, env: initial.env ?? {} } }))
    // Owners have lower numbers than what they own, and whole numbers come in order.
    for (const [key, state] of Object.entries(kept)) {
      const owner = scheduler.scopes[key]?.owner ?? null
      const part = owner === null ? graph : frames.get(owner.scope)?.graph.inner.get(owner.nodeId)
      const cell = cells[state.cell]
      if (part === undefined || cell === undefined) continue
      const entries = Object.entries(state.entries).map(([id, entry]) => [id, entryFromRest(entry)] as const)
      const { iterationId, loopId, stream, held = 0, isStale, failure } = state
      const plan = planOf(part)
      const frame: Frame = {
        graph: part,
        iterationId,
        loopId,
        cell,
        plan,
        stream,
        held,
        isStale,
        failure,
        entries: new Map(entries),
      }
      frames.set(Number(key), frame)
    }
  }

  /** Rounds of one container share a plan. */
  function planOf(part: Graph): StreamPlan {
    const plan = plans.get(part) ?? planStream(part)
    plans.set(part, plan)
    return plan
  }

  function containerAt({ scope, nodeId }: Place) {
    const frame = frames.get(scope)
    const node = frame?.graph.nodes.get(nodeId)
    const executor = containerOf(node)
    const entry = entryAt({ scope, nodeId })
    if (frame === undefined || node === undefined || executor === null || entry === undefined) return null
    return { frame, node, executor, entry }
  }

  return {
    root,
    atRest: () => framesAtRest(frames),
    all: () => frames,
    at: (scope) => frames.get(scope),
    entryAt,
    assign(scope, assignments) {
      const kept: Record<string, Json> = {}
      for (const { selector, value } of assignments) {
        const [namespace = '', name = ''] = selector
        // The conversation is one for all rounds; every other variable belongs to its scope.
        const changed = namespace === 'conversation' ? [...frames.values()] : [frames.get(scope)]
        for (const cell of new Set(changed.map((frame) => frame?.cell))) {
          if (cell !== undefined) cell.pool = { ...cell.pool, [namespace]: { ...cell.pool[namespace], [name]: value } }
        }
        if (namespace === 'conversation') kept[name] = value
      }
      return kept
    },
    begin({ execution, inner, round }) {
      const container = containerAt(execution)
      const part = container?.frame.graph.inner.get(execution.nodeId)
      const opened = container?.entry.opened ?? null
      if (container === null || part === undefined || opened === null) return false
      const { frame, node, executor } = container
      const pool = executor.enter(node, frame.cell.pool, opened, round, part)
      const { iterationId, loopId } = frame
      if (opened.shared === null) {
        frames.set(inner, newFrame(part, planOf(part), { pool }, { iterationId: node.id, loopId }))
      } else {
        frame.cell.pool = pool
        frames.set(inner, newFrame(part, planOf(part), frame.cell, { iterationId, loopId: node.id }))
      }
      return true
    },
    end({ execution, inner, round, outcome }) {
      const ended = frames.get(inner)
      const container = containerAt(execution)
      frames.delete(inner)
      if (container === null || ended === undefined || outcome === 'dropped') return
      const { entry, executor, node, frame } = container
      if (outcome === 'failed') {
        entry.failure = ended.failure
        entry.results[round] = { ok: false }
        return
      }
      const value = executor.resultOf(node, ended.cell.pool)
      entry.results[round] = { ok: true, value }
      frame.held += weightOf(value)
    },
    again(place) {
      const container = containerAt(place)
      return container?.executor.again(container.node, container.frame.cell.pool) ?? false
    },
    outputsOf(place) {
      const container = containerAt(place)
      if (container === null) return {}
      const { executor, node, frame, entry } = container
      return executor.close(node, frame.cell.pool, entry.results)
    },
    held: () => [...frames.values()].reduce((sum, { held }) => sum + held, 0),
  }
}
