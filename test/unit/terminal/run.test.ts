import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  AN_APP_ID,
  anAccount,
  anAppsPage,
  openTerminalWorld,
  type TerminalWorld,
} from '../../support/terminal-world.ts'

const RUN = `POST /apps/${AN_APP_ID}/run`
const STOP = `POST /apps/${AN_APP_ID}/tasks/t1/stop`
const CONVERSATION = '01890000-0000-7000-8000-0000000000d1'
const ON_A_TERMINAL = { isTTY: true, write: () => undefined }

const chat = (event: string, extra: Record<string, unknown> = {}) => ({
  event,
  task_id: 't1',
  message_id: 'm1',
  conversation_id: CONVERSATION,
  created_at: 1,
  ...extra,
})
const flow = (event: string, data: Record<string, unknown>) => ({ event, task_id: 't1', workflow_run_id: 'r1', data })
const aChat = [
  chat('message', { id: 'm1', answer: 'Hello, ' }),
  'event: ping\n\n',
  chat('message', { id: 'm1', answer: 'wörld' }),
  chat('message_end', { id: 'm1', metadata: { usage: { total_tokens: 3 }, retriever_resources: [] } }),
]
const aFlow = (finished: Record<string, unknown>) => [
  'event: ping\n\n',
  flow('workflow_started', { id: 'r1', workflow_id: 'w1', inputs: {}, created_at: 1 }),
  flow('node_started', { id: 'n1', node_id: 'n1', node_type: 'code', title: 'Count', index: 1 }),
  flow('workflow_finished', {
    id: 'r1',
    workflow_id: 'w1',
    status: 'succeeded',
    error: null,
    outputs: {},
    ...finished,
  }),
]

describe('latchkey run', () => {
  let world: TerminalWorld
  beforeEach(async () => {
    world = await openTerminalWorld()
    await world.signedIn()
  })
  afterEach(() => world.close())

  const sent = () => world.api.heard.find(({ path }) => path.endsWith('/run'))?.body

  it('prints the answer alone on stdout and the conversation on stderr', async () => {
    world.api.on(RUN, { frames: aChat })
    const { code, stdout, stderr } = await world.latchkey([
      'run',
      AN_APP_ID,
      'hi there',
      '--conversation',
      CONVERSATION,
    ])
    expect([code, stdout]).to.deep.equal([0, 'Hello, wörld\n'])
    expect(stderr).to.include(`--conversation ${CONVERSATION}`)
    expect(sent()).to.deep.equal({
      inputs: {},
      query: 'hi there',
      conversation_id: CONVERSATION,
      response_mode: 'streaming',
    })
  })

  it('says in words why a file of the command line cannot be read', async () => {
    await world.signedIn()
    for (const words of [
      ['--inputs', '@/nowhere.json'],
      ['--file', '/nowhere.json'],
    ]) {
      const { code, stderr } = await world.latchkey(['run', AN_APP_ID, ...words])
      expect(code).to.equal(2)
      expect(stderr).to.include('cannot read /nowhere.json: there is no such file').and.not.include('ENOENT')
    }
    expect((await world.latchkey(['run', AN_APP_ID, '--inputs', '@/'])).stderr).to.include(
      'cannot read /: it is a folder',
    )
  })

  it('takes inputs from JSON, a file or stdin, and lays each --input over them', async () => {
    world.api.on(RUN, { frames: aChat })
    const file = join(world.configDir, 'inputs.json')
    await writeFile(file, '{"a":1,"b":"file"}')
    await world.latchkey(['run', AN_APP_ID, '--inputs', `@${file}`, '--input', 'b=x=y', '--input', 'c='])
    expect(sent()?.inputs).to.deep.equal({ a: 1, b: 'x=y', c: '' })
    await world.latchkey(['run', AN_APP_ID, '--inputs', '-'], { readStdin: async () => '{"from":"stdin"}' })
    expect(world.api.heard.at(-1)?.body.inputs).to.deep.equal({ from: 'stdin' })
  })

  it('prints a single text output as text, several as JSON', async () => {
    world.api.on(
      RUN,
      { frames: aFlow({ outputs: { text: 'done' } }) },
      { frames: aFlow({ outputs: { a: 1, b: [2] } }) },
    )
    expect((await world.latchkey(['run', AN_APP_ID])).stdout).to.equal('done\n')
    expect(JSON.parse((await world.latchkey(['run', AN_APP_ID])).stdout)).to.deep.equal({ a: 1, b: [2] })
  })

  it('gives the body of a blocking call with --json', async () => {
    world.api.on(RUN, { frames: aChat }, { frames: aFlow({ outputs: { text: 'done' } }) })
    const reply = JSON.parse((await world.latchkey(['run', AN_APP_ID, 'hi', '--json'])).stdout)
    expect(reply).to.include({ event: 'message', task_id: 't1', answer: 'Hello, wörld', conversation_id: CONVERSATION })
    const finished = JSON.parse((await world.latchkey(['run', AN_APP_ID, '--json'])).stdout)
    expect(finished).to.include({ mode: 'workflow', workflow_run_id: 'r1', task_id: 't1' })
    expect(finished.data).to.deep.include({ status: 'succeeded', outputs: { text: 'done' } })
  })

  it('prints text as it comes with --stream, and does not repeat it as the output', async () => {
    const [ping, started, node, finished] = aFlow({ outputs: { text: 'one two' } })
    const chunks = ['one ', 'two'].map((text) => flow('text_chunk', { text }))
    world.api.on(RUN, { frames: aChat }, { frames: [ping, started, node, ...chunks, finished] })
    expect((await world.latchkey(['run', AN_APP_ID, 'hi', '--stream'])).stdout).to.equal('Hello, wörld\n')
    expect((await world.latchkey(['run', AN_APP_ID, '--stream'])).stdout).to.equal('one two\n')
  })

  it('does not repeat several outputs that were streamed as text, and prints those that were not', async () => {
    const streamed = (outputs: Record<string, unknown>) => {
      const [ping, started, node, finished] = aFlow({ outputs })
      return { frames: [ping, started, node, flow('text_chunk', { text: 'one\n7' }), finished] }
    }
    world.api.on(RUN, streamed({ a: 'one', b: 7 }), streamed({ a: 'one', b: [7] }))
    expect((await world.latchkey(['run', AN_APP_ID, '--stream'])).stdout).to.equal('one\n7\n')
    expect((await world.latchkey(['run', AN_APP_ID, '--stream'])).stdout).to.include('"b": [')
  })

  it('gives one event a line with --stream --json, unknown ones and unknown keys included', async () => {
    world.api.on(RUN, { frames: [chat('agent_dreamt', { sheep: 3 }), ...aChat] })
    const lines = (await world.latchkey(['run', AN_APP_ID, 'hi', '--stream', '--json'])).stdout.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).event)).to.deep.equal([
      'agent_dreamt',
      'message',
      'message',
      'message_end',
    ])
    expect(JSON.parse(lines[0] ?? '').sheep).to.equal(3)
  })

  it('reads frames that arrive cut anywhere, inside a character too', async () => {
    const bytes = new TextEncoder().encode(
      aChat.map((f) => (typeof f === 'string' ? f : `data: ${JSON.stringify(f)}\r\n\r\n`)).join(''),
    )
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
        controller.close()
      },
    })
    const reply = async () => new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
    expect((await world.latchkey(['run', AN_APP_ID, 'hi'], { fetch: reply })).stdout).to.equal('Hello, wörld\n')
  })

  it('exits 1 for a failed workflow, a stopped one, and an error event', async () => {
    world.api.on(
      RUN,
      { frames: aFlow({ status: 'failed', error: 'node Count: boom' }) },
      { frames: aFlow({ status: 'stopped' }) },
      {
        frames: [aChat[0], { event: 'error', code: 'completion_request_error', message: 'model is gone', status: 400 }],
      },
    )
    const failed = await world.latchkey(['run', AN_APP_ID])
    expect([failed.code, failed.stderr.includes('node Count: boom')]).to.deep.equal([1, true])
    expect((await world.latchkey(['run', AN_APP_ID])).code).to.equal(1)
    const broken = await world.latchkey(['run', AN_APP_ID, 'hi', '--stream'])
    expect([broken.code, broken.stdout]).to.deep.equal([1, 'Hello, \n'])
    expect(broken.stderr).to.include('model is gone')
  })

  it('exits 1 when the stream ends or breaks before the run did', async () => {
    world.api.on(
      RUN,
      { frames: [aChat[0]] },
      { frames: [aChat[0]], ending: 'break' },
      { frames: ['data: {nonsense\n\n'] },
    )
    for (const reason of ['before the run had ended', 'before the run had ended', 'does not understand']) {
      const { code, stderr } = await world.latchkey(['run', AN_APP_ID, 'hi'])
      expect([code, stderr.includes(reason)]).to.deep.equal([1, true])
    }
  })

  it('exits 0 and says so when some nodes failed', async () => {
    world.api.on(RUN, { frames: aFlow({ status: 'partial-succeeded', outputs: { a: 'b' } }) })
    const { code, stdout, stderr } = await world.latchkey(['run', AN_APP_ID])
    expect([code, stdout, stderr.includes('Some nodes failed')]).to.deep.equal([0, 'b\n', true])
  })

  it('names each refused input', async () => {
    const issues = [{ type: 'missing', loc: ['inputs', 'tone'], msg: 'tone is required in input form' }]
    world.api.on(RUN, {
      status: 422,
      json: { error: 'unprocessable_entity', message: JSON.stringify(issues), details: issues },
    })
    const { code, stderr } = await world.latchkey(['run', AN_APP_ID])
    expect([code, stderr]).to.deep.equal([1, 'inputs.tone: tone is required in input form\n'])
  })

  it('shows the hint of a server without a model', async () => {
    const body = { error: 'provider_not_initialize', message: 'No model', hint: 'set MODEL_BASE_URL' }
    world.api.on(RUN, { status: 400, json: body })
    expect((await world.latchkey(['run', AN_APP_ID])).stderr).to.include('set MODEL_BASE_URL')
  })

  it('runs by name', async () => {
    world.api.on('GET /account', { json: anAccount() })
    world.api.on('GET /apps', { json: anAppsPage([{ name: 'Echo' }]) })
    world.api.on(RUN, { frames: aChat })
    expect((await world.latchkey(['run', 'echo', 'hi'])).code).to.equal(0)
  })

  it('exits 130 on Ctrl-C and asks the server to stop the task it had begun', async () => {
    world.api.on(RUN, { frames: [aChat[0]], ending: 'hold' })
    world.api.on(STOP, { json: { result: 'success' } })
    const pressed = new AbortController()
    const shown = { isTTY: false, write: () => undefined }
    const running = world.latchkey(['run', AN_APP_ID, 'hi', '--stream'], {
      signal: pressed.signal,
      stdout: shown,
      fetch: pressAfterFirstChunk(pressed),
    })
    const stopped = world.api.asked(STOP)
    expect((await running).code).to.equal(130)
    expect((await stopped).method).to.equal('POST')
  })

  it('exits 130 also when the server cannot be told, and says so', async () => {
    world.api.on(RUN, { frames: [aChat[0]], ending: 'hold' })
    world.api.on(STOP, { status: 500, json: {} })
    const pressed = new AbortController()
    const io = { signal: pressed.signal, fetch: pressAfterFirstChunk(pressed) }
    const { code, stderr } = await world.latchkey(['run', AN_APP_ID, 'hi', '--stream'], io)
    expect([code, stderr.includes('could not be told to stop')]).to.deep.equal([130, true])
  })

  it('defuses escape sequences of an answer on a terminal, also across deltas, and leaves a pipe as it is', async () => {
    // Attack: a model is talked into an answer that sets the window title or the clipboard (OSC 52).
    const parts = ['line\n\t\u001B', ']52;c;ZXZpbA==\u0007', '\u009B2J \r!']
    const frames = [
      ...parts.map((answer) => chat('message', { id: 'm1', answer })),
      chat('message_end', { metadata: {} }),
    ]
    world.api.on(RUN, { frames })
    for (const flags of [[], ['--stream']]) {
      const { stdout } = await world.latchkey(['run', AN_APP_ID, 'hi', ...flags], { stdout: ON_A_TERMINAL })
      for (const mark of ['\u001B', '\u0007', '\u009B', '\r']) expect(stdout).not.to.include(mark)
      expect(stdout).to.include('line\n\t')
    }
    expect((await world.latchkey(['run', AN_APP_ID, 'hi'])).stdout).to.equal(`${parts.join('')}\n`)
  })
})

/** Presses Ctrl-C once the client has read the first bytes of the stream. */
function pressAfterFirstChunk(pressed: AbortController): typeof fetch {
  return async (url, init) => {
    const response = await fetch(url, init)
    if (!String(url).endsWith('/run') || response.body === null) return response
    const press = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk)
        setImmediate(() => pressed.abort())
      },
    })
    return new Response(response.body.pipeThrough(press), { headers: response.headers })
  }
}
