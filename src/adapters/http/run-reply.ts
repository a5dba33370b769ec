import { asRefusal } from '#application/use-cases/first-events.ts'
import type { StartedRun } from '#application/use-cases/run-app.ts'
import { DomainError } from '#domain/errors.ts'
import { isEnding, type RunEnding, type RunStep } from '#domain/run.ts'
import { ENDING_STATUS, failureOf, pausedData, seconds, usageOf } from './run-payload.ts'

/**
 * A run as one JSON answer, after its ending. A failed workflow is an answer; any other failure is refused by its
 * own status.
 * @throws DomainError
 */
export async function replyOf(run: StartedRun) {
  const ending = await endingOf(run)
  if (ending.kind === 'paused') return pausedReply(run, ending)
  return run.mode === 'workflow' ? workflowReply(run, ending) : messageReply(run, ending)
}

type Paused = Extract<RunStep, { kind: 'paused' }>

async function endingOf(run: StartedRun): Promise<(RunEnding | Paused) & { readonly atMs: number }> {
  for await (const event of run.events) if (isEnding(event) || event.kind === 'paused') return event
  throw new DomainError('service_unavailable', {})
}

/** The run waits for people; its forms are told by `human_input_required` in a stream. */
function pausedReply({ ids, mode, createdAtMs }: StartedRun, paused: Paused) {
  const data = { id: ids.runId, workflow_id: ids.workflowId, ...pausedData(paused), created_at: seconds(createdAtMs) }
  if (mode === 'workflow') {
    return {
      workflow_run_id: ids.runId,
      task_id: ids.taskId,
      mode,
      data: { ...data, outputs: {}, error: null, finished_at: null },
    }
  }
  return {
    event: 'workflow_paused' as const,
    task_id: ids.taskId,
    workflow_run_id: ids.runId,
    message_id: ids.messageId,
    conversation_id: ids.conversationId,
    mode,
    data,
  }
}

function workflowReply({ ids, createdAtMs }: StartedRun, ending: RunEnding & { readonly atMs: number }) {
  return {
    workflow_run_id: ids.runId,
    task_id: ids.taskId,
    mode: 'workflow' as const,
    data: {
      id: ids.runId,
      workflow_id: ids.workflowId,
      status: ENDING_STATUS[ending.kind],
      outputs: { ...ending.outputs },
      error: failureOf(ending)?.message ?? null,
      elapsed_time: ending.elapsedS,
      total_tokens: ending.usage.totalTokens,
      total_steps: ending.totalSteps,
      created_at: seconds(createdAtMs),
      finished_at: seconds(ending.atMs),
    },
  }
}

function messageReply({ ids, mode, createdAtMs }: StartedRun, ending: RunEnding) {
  const failure = failureOf(ending)
  if (failure !== null) throw asRefusal(failure)
  const conversation = mode === 'completion' ? {} : { conversation_id: ids.conversationId }
  const resources = 'retrieverResources' in ending ? [...ending.retrieverResources] : []
  return {
    event: 'message' as const,
    task_id: ids.taskId,
    id: ids.messageId,
    message_id: ids.messageId,
    ...conversation,
    mode,
    answer: ending.answer,
    metadata: { usage: usageOf(ending.usage), retriever_resources: resources },
    created_at: seconds(createdAtMs),
  }
}
