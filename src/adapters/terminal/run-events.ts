import * as v from 'valibot'

const EventData = v.looseObject({
  text: v.optional(v.string()),
  title: v.optional(v.string()),
  node_type: v.optional(v.string()),
  status: v.optional(v.string()),
  error: v.optional(v.nullable(v.string())),
  outputs: v.optional(v.nullable(v.record(v.string(), v.unknown()))),
})

/** An open end is not a success: the run may go on, or be lost. */
export const CONNECTION_LOST = 'the connection closed before the run had ended'

/** One frame of a run's stream, as far as the client reads it; a newer server's extra keys and events pass. */
export const RunFrame = v.looseObject({
  event: v.string(),
  task_id: v.optional(v.string()),
  id: v.optional(v.string()),
  message_id: v.optional(v.string()),
  conversation_id: v.optional(v.string()),
  workflow_run_id: v.optional(v.string()),
  created_at: v.optional(v.number()),
  answer: v.optional(v.string()),
  metadata: v.optional(v.unknown()),
  code: v.optional(v.string()),
  message: v.optional(v.string()),
  data: v.optional(EventData),
})
export type RunFrame = v.InferOutput<typeof RunFrame>

/** What a run has said so far. */
export type RunTranscript = {
  readonly answer: string
  readonly first: RunFrame | null
  readonly messageEnd: RunFrame | null
  readonly workflowFinished: RunFrame | null
  readonly paused: boolean
  readonly error: RunFrame | null
}

export const EMPTY_TRANSCRIPT: RunTranscript = {
  answer: '',
  first: null,
  messageEnd: null,
  workflowFinished: null,
  paused: false,
  error: null,
}

/** The transcript after one more frame; events it does not know change nothing. */
export function advance(so: RunTranscript, frame: RunFrame): RunTranscript {
  const next = { ...so, first: so.first ?? frame }
  switch (frame.event) {
    case 'message':
    case 'agent_message':
      return { ...next, answer: so.answer + (frame.answer ?? '') }
    case 'message_replace':
      return { ...next, answer: frame.answer ?? '' }
    case 'message_end':
      return { ...next, messageEnd: frame }
    case 'workflow_finished':
      return { ...next, workflowFinished: frame }
    case 'workflow_paused':
      return { ...next, paused: true }
    case 'error':
      return { ...next, error: frame }
    default:
      return next
  }
}

/** The body a blocking call would have answered, put together from the stream. */
export function asBlockingBody(transcript: RunTranscript): Readonly<Record<string, unknown>> {
  const { first, messageEnd, workflowFinished, answer } = transcript
  if (messageEnd === null) {
    const { workflow_run_id, task_id, data } = workflowFinished ?? first ?? { event: '' }
    return { workflow_run_id, task_id, mode: 'workflow', data }
  }
  const { task_id, message_id, conversation_id, created_at, metadata } = messageEnd
  return { event: 'message', task_id, id: message_id, message_id, conversation_id, answer, metadata, created_at }
}

/** Why the run is no success, or null. A run without an ending is none: the connection broke. */
export function failureOf(transcript: RunTranscript): string | null {
  const { error, workflowFinished, messageEnd, paused } = transcript
  if (error !== null) return error.message ?? error.code ?? 'the run failed'
  const status = workflowFinished?.data?.status
  if (status === 'failed') return workflowFinished?.data?.error ?? 'the workflow failed'
  if (status === 'stopped') return 'the run was stopped'
  if (messageEnd === null && workflowFinished === null && !paused) return CONNECTION_LOST
  return null
}
