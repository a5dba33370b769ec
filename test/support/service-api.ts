import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { onLoopback } from './loopback.ts'

export type Asked = {
  readonly path: string
  readonly authorization: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever a request carried
  readonly body: any
  readonly text: string
}

/** What to do instead of what a Dify would. */
export type Mischief = (response: ServerResponse, request: IncomingMessage) => void

export type ServiceDouble = Awaited<ReturnType<typeof aServiceApi>>

const JSON_TYPE = { 'Content-Type': 'application/json' }
const STREAM_TYPE = { 'Content-Type': 'text/event-stream; charset=utf-8' }

/** The Service API of a Dify with one app of `mode`, as its documentation describes it: keys, conversations by user, tasks. */
export async function aServiceApi(mode: string, key = 'app-0123456789abcdefghij') {
  const asked: Asked[] = []
  const ids: string[] = []
  const conversations = new Map<string, { readonly user: string; turns: number }>()
  const running = new Map<string, () => void>()
  const state = { mischief: null as Mischief | null, holds: false, parameters: { user_input_form: [] as object[] } }

  const server = createServer(async (request, response) => {
    const path = request.url ?? ''
    const raw = await text(request)
    const isJson = request.headers['content-type'] === 'application/json'
    const body = isJson && raw !== '' ? JSON.parse(raw) : null
    asked.push({ path, authorization: request.headers.authorization, body, text: raw })
    if (request.headers.authorization !== `Bearer ${key}`)
      return refuse(response, 401, 'unauthorized', 'Access token is invalid')
    if (path === '/v1/info')
      return answer(response, { name: 'There', description: '', tags: [], mode, author_name: 'A' })
    if (path === '/v1/parameters') return answer(response, { opening_statement: 'Hi from there', ...state.parameters })
    if (path === '/v1/files/upload') return answer(response, { id: minted(), name: 'x', size: raw.length }, 201)
    const stopped = /\/(?:chat-messages|completion-messages|workflows\/tasks)\/([^/]+)\/stop$/.exec(path)?.[1]
    if (stopped !== undefined) {
      running.get(stopped)?.()
      return answer(response, { result: 'success' })
    }
    if (state.mischief !== null) return state.mischief(response, request)
    if (path === '/v1/chat-messages') return chat(response, body)
    if (path === '/v1/completion-messages') return say(response, messages('completion', body.query, null))
    if (path === '/v1/workflows/run') return say(response, graph(body.inputs))
    refuse(response, 404, 'not_found', 'no such route')
  })

  function minted(): string {
    const id = randomUUID()
    ids.push(id)
    return id
  }

  function chat(response: ServerResponse, body: { conversation_id: string; user: string; query: string }): void {
    const known = conversations.get(body.conversation_id)
    if (body.conversation_id !== '' && known?.user !== body.user) {
      refuse(response, 404, 'not_found', 'Conversation Not Exists.')
      return
    }
    const id = known === undefined ? minted() : body.conversation_id
    const turns = (known?.turns ?? 0) + 1
    conversations.set(id, { user: body.user, turns })
    const said = `turn ${turns}: ${body.query}`
    say(
      response,
      mode === 'advanced-chat'
        ? [...graph({}).slice(0, -1), ...messages('message', said, id), graph({}).at(-1) ?? {}]
        : messages('message', said, id),
    )
  }

  function messages(event: string, said: string, conversation: string | null): object[] {
    const name = mode === 'agent-chat' ? 'agent_message' : 'message'
    const common = {
      task_id: minted(),
      message_id: minted(),
      ...(conversation === null ? {} : { conversation_id: conversation }),
      created_at: 1,
    }
    const usage = {
      prompt_tokens: 3,
      completion_tokens: 4,
      total_tokens: 7,
      total_price: '0',
      currency: 'USD',
      latency: 1,
    }
    const thought = {
      event: 'agent_thought',
      id: minted(),
      position: 1,
      thought: said,
      observation: '',
      tool: '',
      tool_input: '',
      message_files: [],
      ...common,
    }
    return [
      ...[...said].map((answer) => ({
        event: event === 'completion' ? 'message' : name,
        id: common.message_id,
        answer,
        ...common,
      })),
      ...(mode === 'agent-chat' ? [thought] : []),
      {
        event: 'message_end',
        id: common.message_id,
        metadata: { usage, retriever_resources: [{ position: 1, content: 'a source' }] },
        ...common,
      },
    ]
  }

  function graph(inputs: object): object[] {
    const [task, run, workflow] = [minted(), minted(), minted()]
    const about = (event: string, data: object) => ({ event, task_id: task, workflow_run_id: run, data })
    const node = {
      id: minted(),
      node_id: 'n1',
      node_type: 'llm',
      title: 'Model',
      index: 1,
      predecessor_node_id: 'start',
    }
    const finished = {
      id: run,
      workflow_id: workflow,
      status: 'succeeded',
      outputs: { got: inputs },
      error: null,
      elapsed_time: 1.5,
      total_tokens: 9,
      total_steps: 2,
      created_at: 1,
      finished_at: 2,
    }
    return [
      about('workflow_started', { id: run, workflow_id: workflow, inputs: {}, created_at: 1 }),
      about('node_started', { ...node, inputs: {}, created_at: 1 }),
      about('node_finished', {
        ...node,
        status: 'succeeded',
        inputs: {},
        outputs: { text: 'x' },
        elapsed_time: 1,
        execution_metadata: { total_tokens: 9 },
      }),
      about('text_chunk', { text: 'piece', from_variable_selector: ['n1', 'text'] }),
      about('workflow_finished', finished),
    ].filter(({ event }) => mode === 'workflow' || event !== 'text_chunk')
  }

  /** With `holds` the last event waits until the task is stopped. */
  function say(response: ServerResponse, events: readonly object[]): void {
    response.writeHead(200, STREAM_TYPE)
    response.write('event: ping\n\n')
    const frames = events.map((event) => `data: ${JSON.stringify(event)}\n\n`)
    if (!state.holds) return void response.end(frames.join(''))
    const [first] = events as { task_id: string }[]
    response.write(frames.slice(0, -1).join(''))
    running.set(first?.task_id ?? '', () => response.end(frames.at(-1)))
  }

  const { url, close } = await onLoopback(server)
  return {
    url: `${url}/v1`,
    key,
    asked,
    /** Every id that it made up: none may be seen outside. */
    ids,
    state,
    conversations,
    close,
  }
}

export function answer(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, JSON_TYPE).end(JSON.stringify(body))
}

export function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  answer(response, { code, message, status }, status)
}

export function stream(response: ServerResponse, text: string): ServerResponse {
  response.writeHead(200, STREAM_TYPE).write(text)
  return response
}
