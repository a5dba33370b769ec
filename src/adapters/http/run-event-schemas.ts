import * as v from 'valibot'

const id = v.string()
const seconds = v.number()
const anyObject = v.record(v.string(), v.unknown())

export const usage = v.object({ prompt_tokens: v.number(), completion_tokens: v.number(), total_tokens: v.number() })

export const metadata = v.object({ usage: v.nullable(usage), retriever_resources: v.array(v.unknown()) })

/** Which of these an event carries follows from the app's mode, not from the event. */
const common = {
  task_id: id,
  workflow_run_id: v.optional(id),
  conversation_id: v.optional(v.nullable(id)),
  message_id: v.optional(id),
  created_at: v.optional(v.pipe(seconds, v.description('Epoch seconds.'))),
}

const event = <const Name extends string, Entries extends v.ObjectEntries>(name: Name, entries: Entries) =>
  v.object({ event: v.literal(name), ...common, ...entries })

const about = <const Name extends string, Entries extends v.ObjectEntries>(name: Name, data: Entries) =>
  event(name, { data: v.object(data) })

const node = {
  id,
  node_id: id,
  node_type: v.string(),
  title: v.string(),
  index: v.number(),
  predecessor_node_id: v.nullable(id),
  iteration_id: v.nullable(id),
  loop_id: v.nullable(id),
}

const withheld = {
  inputs: v.null(),
  process_data: v.null(),
  outputs: v.null(),
  error: v.null(),
  execution_metadata: v.null(),
  extras: v.object({}),
  files: v.array(v.unknown()),
}

const roundsStarted = { ...node, inputs: anyObject, metadata: v.object({ length: v.nullable(v.number()) }) }
const roundsCompleted = {
  ...node,
  status: v.picklist(['succeeded', 'failed']),
  outputs: anyObject,
  error: v.nullable(v.string()),
  elapsed_time: seconds,
  steps: v.number(),
}

export const runStatus = v.picklist(['running', 'succeeded', 'failed', 'stopped', 'partial-succeeded', 'paused'])

export const pausedEntries = {
  paused_nodes: v.array(id),
  reasons: v.array(anyObject),
  status: v.literal('paused'),
  elapsed_time: seconds,
  total_tokens: v.number(),
  total_steps: v.number(),
}

/** One `data:` line of a run's event stream. */
export const RunEventFrame = v.variant('event', [
  event('message', { id, answer: v.pipe(v.string(), v.description('A delta.')) }),
  event('agent_message', { id, answer: v.pipe(v.string(), v.description('A delta.')) }),
  event('agent_thought', {
    id,
    position: v.number(),
    thought: v.string(),
    observation: v.string(),
    tool: v.string(),
    tool_labels: anyObject,
    tool_input: v.string(),
    message_files: v.array(v.string()),
  }),
  event('message_file', { id, type: v.string(), belongs_to: v.literal('assistant'), url: v.string() }),
  event('message_replace', { answer: v.string(), reason: v.string() }),
  event('message_end', { id, metadata, files: v.array(v.unknown()) }),
  about('workflow_started', {
    id,
    workflow_id: id,
    inputs: anyObject,
    created_at: seconds,
    reason: v.picklist(['initial', 'resumption']),
  }),
  about('node_started', { ...node, ...withheld, created_at: seconds }),
  about('node_finished', {
    ...node,
    ...withheld,
    status: v.picklist(['succeeded', 'failed', 'exception', 'stopped']),
    elapsed_time: seconds,
    created_at: seconds,
    finished_at: seconds,
  }),
  about('node_retry', { ...node, error: v.string(), retry_index: v.number() }),
  about('iteration_started', roundsStarted),
  about('iteration_next', node),
  about('iteration_completed', roundsCompleted),
  about('loop_started', roundsStarted),
  about('loop_next', node),
  about('loop_completed', roundsCompleted),
  about('text_chunk', { text: v.string(), from_variable_selector: v.nullable(v.array(v.string())) }),
  about('agent_log', { node_execution_id: id, label: v.string(), status: v.string(), data: anyObject }),
  event('human_input_required', { data: anyObject }),
  event('human_input_form_filled', { data: anyObject }),
  event('human_input_form_timeout', { data: anyObject }),
  about('workflow_paused', pausedEntries),
  about('workflow_finished', {
    id,
    workflow_id: id,
    status: runStatus,
    outputs: anyObject,
    error: v.nullable(v.string()),
    elapsed_time: seconds,
    total_tokens: v.number(),
    total_steps: v.number(),
    created_by: v.object({ id, name: v.string(), email: v.string() }),
    created_at: seconds,
    finished_at: seconds,
    exceptions_count: v.number(),
    files: v.array(v.unknown()),
  }),
  event('error', { code: v.string(), message: v.string(), status: v.number() }),
])
