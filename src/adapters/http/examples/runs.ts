import { APP, account, FORTNIGHT_S, NOON_S, RUN, TASK, WORKFLOW } from './scene.ts'

const MESSAGE = '019b8ad0-7c00-7000-8000-000000000008'
const CONVERSATION = '019b8ad0-7c00-7000-8000-000000000009'
const FORM = '019b8ad0-7c00-7000-8000-00000000000a'
const FORM_TOKEN = '00000000-0000-4000-8000-000000000001'
const usage = { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 }
const graph = { workflow_run_id: RUN, task_id: TASK }
const message = { message_id: MESSAGE, conversation_id: CONVERSATION, task_id: TASK, created_at: NOON_S }

/** The greeting as a run, with what it takes, asks and tells. */
export const runExamples = {
  run: {
    params: { id: APP },
    body: { inputs: { name: 'Olive' }, response_mode: 'blocking' as const },
    reply: {
      workflow_run_id: RUN,
      task_id: TASK,
      mode: 'workflow' as const,
      data: {
        id: RUN,
        workflow_id: WORKFLOW,
        status: 'succeeded' as const,
        outputs: { greeting: 'Hello, Olive!' },
        error: null,
        elapsed_time: 0.25,
        total_tokens: usage.total_tokens,
        total_steps: 3,
        created_at: NOON_S,
        finished_at: NOON_S,
      },
    },
    events: [
      { event: 'message', ...message, id: MESSAGE, answer: 'Hello, ' },
      { event: 'message', ...message, id: MESSAGE, answer: 'Olive!' },
      { event: 'message_end', ...message, id: MESSAGE, metadata: { usage, retriever_resources: [] }, files: [] },
    ],
  },
  followRun: {
    params: { id: APP, run: RUN },
    query: { include_state_snapshot: 'true' as const, continue_on_pause: 'true' as const },
    reply: {},
    events: [
      { event: 'text_chunk', ...graph, data: { text: 'Hello, ', from_variable_selector: null } },
      { event: 'text_chunk', ...graph, data: { text: 'Olive!', from_variable_selector: null } },
      {
        event: 'workflow_finished',
        ...graph,
        data: {
          id: RUN,
          workflow_id: WORKFLOW,
          status: 'succeeded',
          outputs: { greeting: 'Hello, Olive!' },
          error: null,
          elapsed_time: 0.25,
          total_tokens: usage.total_tokens,
          total_steps: 3,
          created_by: account,
          created_at: NOON_S,
          finished_at: NOON_S,
          exceptions_count: 0,
          files: [],
        },
      },
    ],
  },
  stopTask: { params: { id: APP, task: TASK }, reply: { result: 'success' as const } },

  uploadFile: {
    params: { id: APP },
    reply: {
      id: TASK,
      name: 'invoice.pdf',
      size: 48_213,
      extension: 'pdf',
      mime_type: 'application/pdf',
      created_by: RUN,
      created_at: 1_767_225_600,
    },
  },

  showForm: {
    params: { id: APP, token: FORM_TOKEN },
    reply: {
      form_id: FORM,
      node_id: 'ask',
      node_title: 'Ask',
      form_content: 'Send this to Olive? {{#$output.note#}}',
      inputs: [{ type: 'paragraph', output_variable_name: 'note' }],
      actions: [{ id: 'yes', title: 'Send', button_style: 'primary' }],
      display_in_ui: true,
      form_token: FORM_TOKEN,
      resolved_default_values: { note: '' },
      expiration_time: NOON_S + FORTNIGHT_S,
    },
  },
  answerForm: {
    params: { id: APP, token: FORM_TOKEN },
    body: { action: 'yes', inputs: { note: 'Greet her from me.' } },
    reply: { workflow_run_id: RUN, task_id: TASK },
  },
}
