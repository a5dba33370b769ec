import type { JsonObject } from '#domain/app.ts'
import { objectsAt, textAt } from '#domain/json.ts'
import type { GraphNode } from './graph.ts'
import { enqueue, leave } from './scheduler-edges.ts'
import type { Execution, RoundPlan, SchedulerCommand } from './scheduler-events.ts'
import { type Draft, newScope, type Scope } from './scheduler-state.ts'

type Fault = { readonly error: string; readonly errorType: string; readonly retryable: boolean }

/** Begins as many rounds as may run at once. */
export function openRounds(draft: Draft, scope: Scope, nodeId: string, plan: RoundPlan): void {
  const execution = scope.running.get(nodeId)
  if (execution === undefined || scope.containers.has(nodeId)) return
  scope.containers.set(nodeId, { ...plan, begun: 0, ended: 0 })
  const first = plan.kind === 'loop' ? 1 : Math.max(1, plan.parallel)
  for (let round = 0; round < Math.min(first, plan.rounds); round++) beginRound(draft, scope, execution)
  if (plan.rounds === 0) draft.commands.push({ kind: 'close_container', execution })
}

/** After a loop was asked: another round, or the end of it. */
export function goOn(draft: Draft, scope: Scope, nodeId: string, again: boolean): void {
  const execution = scope.running.get(nodeId)
  const rounds = scope.containers.get(nodeId)
  if (execution === undefined || rounds === undefined || rounds.begun !== rounds.ended) return
  if (again && rounds.begun < rounds.rounds) beginRound(draft, scope, execution)
  else draft.commands.push({ kind: 'close_container', execution })
}

function beginRound(draft: Draft, scope: Scope, execution: Execution): void {
  const graph = scope.graph.inner.get(execution.nodeId)
  const rounds = scope.containers.get(execution.nodeId)
  if (graph === undefined || rounds === undefined) return
  const round = rounds.begun
  scope.containers.set(execution.nodeId, { ...rounds, begun: round + 1 })
  draft.lastScope += 1
  const inner = newScope(draft.lastScope, graph, { scope: scope.id, nodeId: execution.nodeId, round })
  draft.scopes.set(inner.id, inner)
  draft.commands.push({ kind: 'begin_round', execution, inner: inner.id, round })
  enqueue(inner, graph.rootId, null)
  draft.touched.add(inner)
}

/** Ends a round, and with it perhaps its container. `isBreak` ends a loop whatever its condition says. */
export function endRound(draft: Draft, inner: Scope, fault: Fault | null, isBreak = false): void {
  const { owner } = inner
  const scope = owner === null ? undefined : draft.scopes.get(owner.scope)
  const execution = scope?.running.get(owner?.nodeId ?? '')
  const rounds = scope?.containers.get(owner?.nodeId ?? '')
  if (scope === undefined || execution === undefined || rounds === undefined) return
  closeScope(draft, inner, fault === null ? 'done' : 'failed')
  const ended = rounds.ended + 1
  scope.containers.set(execution.nodeId, { ...rounds, ended })
  if (fault !== null && rounds.onError === 'terminate') fail(draft, scope, execution.nodeId, fault)
  else if (rounds.kind === 'loop') {
    const isLast = isBreak || ended >= rounds.rounds
    draft.commands.push({ kind: isLast ? 'close_container' : 'check_loop', execution })
  } else if (rounds.begun < rounds.rounds) beginRound(draft, scope, execution)
  else if (ended === rounds.rounds) draft.commands.push({ kind: 'close_container', execution })
}

/** What the failure of a node means: another try, its strategy, the end of its round, or the end of the run. */
export function fail(draft: Draft, scope: Scope, nodeId: string, fault: Fault): void {
  const running = scope.running.get(nodeId)
  const node = scope.graph.nodes.get(nodeId)
  if (running === undefined || node === undefined) return
  const { error } = fault
  if (fault.retryable && running.attempt < node.retry.max) {
    const again = { ...running, attempt: running.attempt + 1 }
    scope.running.set(nodeId, again)
    draft.commands.push({ kind: 'retry_later', ...again, delayMs: node.retry.intervalMs, error })
    return
  }
  const execution = takeFromRunning(draft, scope, nodeId)
  if (execution === null) return
  if (node.strategy === 'none') {
    draft.commands.push({ kind: 'settle_node', execution, status: 'failed', outputs: {}, error })
    if (scope.owner === null) finish(draft, 'failed', error)
    else endRound(draft, scope, { ...fault, retryable: false })
    return
  }
  draft.exceptions += 1
  const facts = { error_message: error, error_type: fault.errorType }
  const outputs = node.strategy === 'default-value' ? { ...defaultOutputs(node), ...facts } : facts
  draft.commands.push({ kind: 'settle_node', execution, status: 'exception', outputs, error })
  const failBranch = node.strategy === 'fail-branch'
  leave(draft, scope, node, (edge) => !failBranch || edge.handle === 'fail-branch')
  draft.touched.add(scope)
}

function defaultOutputs(node: GraphNode): JsonObject {
  return Object.fromEntries(
    objectsAt(node.data, 'default_value').map((entry) => [textAt(entry, 'key'), entry.value ?? null]),
  )
}

/** The node's execution, which is then over: rounds that it still has are dropped. */
export function takeFromRunning(draft: Draft, scope: Scope, nodeId: string): Execution | null {
  const execution = scope.running.get(nodeId)
  if (execution === undefined) return null
  dropRounds(draft, scope, nodeId)
  scope.running.delete(nodeId)
  scope.containers.delete(nodeId)
  scope.nodes.set(nodeId, 'done')
  return execution
}

function dropRounds(draft: Draft, scope: Scope, nodeId: string): void {
  if (!scope.containers.has(nodeId)) return
  for (const inner of [...draft.scopes.values()]) {
    if (inner.owner?.scope === scope.id && inner.owner.nodeId === nodeId) closeScope(draft, inner, 'dropped')
  }
}

function closeScope(
  draft: Draft,
  inner: Scope,
  outcome: Extract<SchedulerCommand, { kind: 'end_round' }>['outcome'],
): void {
  const { owner } = inner
  const execution = owner === null ? undefined : draft.scopes.get(owner.scope)?.running.get(owner.nodeId)
  stopNodes(draft, inner)
  draft.scopes.delete(inner.id)
  draft.touched.delete(inner)
  if (owner === null || execution === undefined) return
  draft.commands.push({ kind: 'end_round', execution, inner: inner.id, round: owner.round, outcome })
}

function stopNodes(draft: Draft, scope: Scope): void {
  for (const execution of [...scope.running.values()]) {
    dropRounds(draft, scope, execution.nodeId)
    draft.commands.push({ kind: 'settle_node', execution, status: 'stopped', outputs: {}, error: null })
  }
  scope.running.clear()
  scope.queue.length = 0
}

/** Ends the run, and everything that still runs in it. */
export function finish(
  draft: Draft,
  outcome: Extract<SchedulerCommand, { kind: 'finish' }>['outcome'],
  error: string | null,
): void {
  const root = draft.scopes.get(0)
  if (root !== undefined) stopNodes(draft, root)
  draft.over = true
  draft.commands.push({ kind: 'finish', outcome, error })
}
