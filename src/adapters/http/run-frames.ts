import type { StartedRun } from '#application/use-cases/run-app.ts'
import { isGraphMode } from '#domain/app-mode.ts'
import type { NodeRef, RunEnding, RunEvent, RunFailure, RunStep } from '#domain/run.ts'
import { renderError } from './errors.ts'
import { ENDING_STATUS, failureOf, pausedData, seconds, usageOf } from './run-payload.ts'

/** One event of a stream, before it is written. */
export type Frame = Readonly<Record<string, unknown>>

/** Who a workflow's end says it was made by. */
export type Author = { readonly id: string; readonly name: string; readonly email: string }

/** Tells each event of a run as the frames its mode has for it, in order; pieces of one text differ in that text alone. */
export function makeFrameTeller({ ids, mode, createdAtMs }: StartedRun, author: Author): (event: RunEvent) => Frame[] {
  const isGraph = isGraphMode(mode)
  const graph = { workflow_run_id: ids.runId, task_id: ids.taskId }
  const message = { message_id: ids.messageId, created_at: seconds(createdAtMs), task_id: ids.taskId }
  const chat = { conversation_id: ids.conversationId, ...message }
  const common =
    mode === 'workflow'
      ? graph
      : mode === 'completion'
        ? message
        : isGraph
          ? { ...chat, workflow_run_id: ids.runId }
          : chat
  const frame = (event: string, extra: Frame): Frame => ({ event, ...common, ...extra })
  const about = (event: string, data: Frame): Frame[] => [frame(event, { data })]

  /** Total over what a run can tell; what a mode does not show is an empty list. */
  return (step) => {
    switch (step.kind) {
      case 'run_started':
        return isGraph
          ? about('workflow_started', {
              id: ids.runId,
              workflow_id: ids.workflowId,
              inputs: step.inputs,
              created_at: seconds(step.atMs),
              reason: step.reason,
            })
          : []
      case 'node_started':
        return about('node_started', { ...node(step), ...WITHHELD, created_at: seconds(step.atMs) })
      case 'node_finished':
        return about('node_finished', {
          ...node(step),
          ...WITHHELD,
          status: step.status,
          elapsed_time: step.elapsedS,
          created_at: seconds(step.atMs - step.elapsedS * 1000),
          finished_at: seconds(step.atMs),
        })
      case 'node_retry':
        return about('node_retry', { ...node(step), error: step.error, retry_index: step.retryIndex })
      case 'iteration_started':
      case 'loop_started':
        return about(step.kind, { ...node(step), inputs: step.inputs, metadata: { length: step.length } })
      case 'iteration_next':
      case 'loop_next':
        return about(step.kind, { ...node(step), index: step.round })
      case 'iteration_completed':
      case 'loop_completed':
        return about(step.kind, {
          ...node(step),
          status: step.status,
          outputs: step.outputs,
          error: step.error,
          elapsed_time: step.elapsedS,
          steps: step.rounds,
        })
      case 'text':
        if (mode === 'workflow') {
          return about('text_chunk', { text: step.delta, from_variable_selector: step.fromSelector })
        }
        return [frame(mode === 'agent-chat' ? 'agent_message' : 'message', { id: ids.messageId, answer: step.delta })]
      case 'agent_thought':
        return [
          frame('agent_thought', {
            id: step.thoughtId,
            position: step.position,
            thought: step.thought,
            observation: step.observation,
            tool: step.tool,
            tool_labels: step.toolLabels,
            tool_input: step.toolInput,
            message_files: step.messageFiles,
          }),
        ]
      case 'agent_log':
        return about('agent_log', {
          node_execution_id: step.nodeExecutionId,
          label: step.label,
          status: step.status,
          data: step.data,
        })
      case 'message_file':
        return [frame('message_file', { id: step.fileId, type: step.type, belongs_to: 'assistant', url: step.url })]
      case 'message_replace':
        return [frame('message_replace', { answer: step.answer, reason: step.reason })]
      case 'human_input_required':
        return about('human_input_required', step.form)
      case 'human_input_form_filled':
        return about('human_input_form_filled', step.form)
      case 'human_input_form_timeout':
        return about('human_input_form_timeout', step.form)
      case 'paused':
        return about('workflow_paused', pausedData(step))
      case 'succeeded':
      case 'partial':
      case 'failed':
      case 'stopped':
        return lastFrames(step)
    }
  }

  /** On success and on a stop by a person the message ends first; on failure `error` stands last. */
  function lastFrames(ending: RunEnding & { readonly atMs: number }): Frame[] {
    const failure = failureOf(ending)
    const finished = about('workflow_finished', finishedData(ending))
    if (mode === 'workflow') return finished
    const last = failure === null ? [] : [errorFrame(failure)]
    const end = failure === null ? [messageEnd(ending)] : []
    return isGraph ? [...end, ...finished, ...last] : [...end, ...last]
  }

  function messageEnd(ending: RunEnding): Frame {
    const resources = 'retrieverResources' in ending ? ending.retrieverResources : []
    const metadata = { usage: usageOf(ending.usage), retriever_resources: resources }
    return frame('message_end', { id: ids.messageId, metadata, files: [] })
  }

  function finishedData(ending: RunEnding & { readonly atMs: number }): Frame {
    return {
      id: ids.runId,
      workflow_id: ids.workflowId,
      status: ENDING_STATUS[ending.kind],
      outputs: ending.outputs,
      error: failureOf(ending)?.message ?? null,
      elapsed_time: ending.elapsedS,
      total_tokens: ending.usage.totalTokens,
      total_steps: ending.totalSteps,
      created_by: author,
      created_at: seconds(createdAtMs),
      finished_at: seconds(ending.atMs),
      exceptions_count: ending.exceptionsCount,
      files: [],
    }
  }

  function errorFrame({ code, message: text }: RunFailure): Frame {
    return frame('error', { code, message: text, status: statusOf(code) })
  }
}

/** The status the same failure would have had before the first byte. */
function statusOf(code: RunFailure['code']): number {
  const text = { message: '', retryAfterMs: 0, hint: '' }
  return renderError(code, text).status
}

/** What a node saw and made is the operator's, not the caller's. */
const WITHHELD = {
  inputs: null,
  process_data: null,
  outputs: null,
  error: null,
  execution_metadata: null,
  extras: {},
  files: [],
} as const

function node(step: Extract<RunStep, NodeRef>): Frame {
  return {
    id: step.executionId,
    node_id: step.nodeId,
    node_type: step.nodeType,
    title: step.title,
    index: step.index,
    predecessor_node_id: step.predecessorNodeId,
    iteration_id: step.iterationId,
    loop_id: step.loopId,
  }
}
