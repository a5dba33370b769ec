import { expect } from 'chai'
import sinon from 'sinon'
import type { RunJob } from '#application/ports/app-runner.ts'
import { aHeldModel } from '../support/held-model.ts'
import { type Frame, framesIn, readFrames } from '../support/sse.ts'
import { until } from '../support/until.ts'
import { aWorld, type Login, type World } from '../support/world.ts'
import { chatFile, formFile, graphChatFile, workflowFile } from './app-files.ts'

const NO_UUID = 'not-a-uuid'
const NOBODYS = '01900000-0000-7000-8000-000000000000'

type Started = { world: World; login: Login; held: ReturnType<typeof aHeldModel>; jobs: RunJob[] }

/** A world whose model speaks on command, and whose runner's jobs are kept. */
async function start(options: { model?: null } = {}): Promise<Started> {
  const held = aHeldModel()
  const jobs: RunJob[] = []
  const world = await aWorld({
    model: options.model === null ? null : held.model,
    change: (ports) => ({
      ...ports,
      runner: {
        preflight: ports.runner.preflight,
        run(job, signal) {
          jobs.push(job)
          return ports.runner.run(job, signal)
        },
      },
    }),
  })
  return { world, login: await world.login(), held, jobs }
}

describe('POST /apps/:id/run', () => {
  let started: Started
  beforeEach(async () => {
    started = await start()
  })
  afterEach(() => started.world.close())

  const run = (appId: string, json: unknown, headers: Record<string, string> = {}) =>
    started.world.post(`/openapi/v1/apps/${appId}/run`, { token: started.login.token, json, headers })

  const open = (appId: string, json: object, signal?: AbortSignal) =>
    fetch(`${started.world.url}/openapi/v1/apps/${appId}/run`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${started.login.token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...json, response_mode: 'streaming' }),
      ...(signal === undefined ? {} : { signal }),
    })

  /** An app of each mode, its body, and what its answer takes of the model. */
  const modes = [
    { mode: 'chat', file: () => chatFile(), body: { inputs: {}, query: 'hi' } },
    { mode: 'completion', file: () => chatFile('C', 'completion'), body: { inputs: {} } },
    { mode: 'agent-chat', file: () => chatFile('A', 'agent-chat'), body: { inputs: {}, query: 'hi' } },
    { mode: 'advanced-chat', file: () => graphChatFile(), body: { inputs: {}, query: 'hi' } },
    { mode: 'workflow', file: () => workflowFile(), body: { inputs: {} } },
  ] as const

  const speak = () => {
    started.held.say('Hel', 'lo')
    started.held.end()
  }

  for (const { mode, file, body } of modes) {
    it(`H01 ${mode} reaches the runner as an openapi call`, async () => {
      const appId = await started.world.addApp(file())
      speak()
      const reply = await run(appId, body)
      expect(reply.status, reply.text).to.equal(200)
      expect(started.jobs.map(({ invokeFrom, app }) => [invokeFrom, app.mode])).to.deep.equal([['openapi', mode]])
      const kept = await started.world.ports.runs.find(started.jobs[0]?.ids.runId ?? '')
      expect(kept?.createdFrom).to.equal('openapi')
      expect(kept?.result?.status).to.equal('succeeded')
    })
  }

  for (const mode of ['channel', 'rag-pipeline'] as const) {
    it(`H01 ${mode} is not run`, async () => {
      const appId = started.world.ports.newId()
      await started.world.ports.apps.add({
        id: appId,
        workspaceId: started.world.owner.workspaceId,
        name: mode,
        description: '',
        mode,
        createdBy: null,
        createdAtMs: 0,
        definition: {
          id: started.world.ports.newId(),
          kind: 'published',
          dslVersion: '0.6.0',
          workflow: {},
          modelConfig: null,
        },
        source: '',
      })
      const reply = await run(appId, { inputs: {} })
      expect([reply.status, reply.json.error]).to.deep.equal([422, 'mode_not_runnable'])
    })
  }

  describe('H02 refuses, naming the field', () => {
    const cases: [string, () => string, unknown, number, string][] = [
      ['a chat without a query', chatFile, { inputs: {} }, 422, 'query_required_for_chat'],
      ['a chat with a blank query', chatFile, { inputs: {}, query: '  ' }, 422, 'query_required_for_chat'],
      ['a workflow with a query', workflowFile, { inputs: {}, query: 'x' }, 422, 'query_not_supported_for_workflow'],
      ['missing inputs', chatFile, { query: 'x' }, 422, 'inputs'],
      ['inputs that are a list', chatFile, { inputs: [], query: 'x' }, 422, 'inputs'],
      [
        'a conversation id that is none',
        chatFile,
        { inputs: {}, query: 'x', conversation_id: NO_UUID },
        422,
        'conversation_id',
      ],
      ['an unknown response mode', chatFile, { inputs: {}, query: 'x', response_mode: 'fast' }, 422, 'response_mode'],
      [
        'an upload that is none',
        chatFile,
        { inputs: {}, query: 'x', files: [{ type: 'image', transfer_method: 'local_file', upload_file_id: 'f' }] },
        422,
        'upload_file_id',
      ],
      [
        'a file address that is none',
        chatFile,
        { inputs: {}, query: 'x', files: [{ type: 'image', transfer_method: 'remote_url', url: 'javascript:1' }] },
        422,
        'url',
      ],
      ['a workflow id that is none', workflowFile, { inputs: {}, workflow_id: NO_UUID }, 400, 'bad_request'],
      ['an unknown workflow id', workflowFile, { inputs: {}, workflow_id: NOBODYS }, 404, 'not_found'],
      [
        'an unknown conversation',
        chatFile,
        { inputs: {}, query: 'x', conversation_id: NOBODYS },
        404,
        'Conversation Not Exists.',
      ],
    ]
    for (const [what, file, body, status, word] of cases) {
      it(what, async () => {
        const reply = await run(await started.world.addApp(file()), body)
        expect([reply.status, reply.text.includes(word)], reply.text).to.deep.equal([status, true])
        expect(started.jobs).to.have.length(0)
      })
    }
  })

  it('H03 the body cannot name a user', async () => {
    const appId = await started.world.addApp(chatFile())
    speak()
    await run(appId, { inputs: {}, query: 'hi', user: 'mallory' })
    expect(JSON.stringify(started.jobs)).not.to.include('mallory')
    expect(started.jobs[0]?.callerId).to.equal(started.world.owner.accountId)
  })

  for (const [code, status] of [
    ['provider_quota_exceeded', 400],
    ['completion_request_error', 400],
    ['model_currently_not_support', 400],
    ['rate_limit_error', 429],
  ] as const) {
    it(`H04 H13 ${code} before the first word keeps its status, and leaves no conversation`, async () => {
      const appId = await started.world.addApp(chatFile())
      for (const response_mode of ['blocking', 'streaming']) {
        started.held.fail({ code, message: 'the model said no', retryAfterMs: 2500 })
        const reply = await run(appId, { inputs: {}, query: 'hi', response_mode })
        expect([reply.status, reply.json.code, reply.json.message]).to.deep.equal([status, code, 'the model said no'])
        if (status === 429) expect(reply.headers.get('retry-after')).to.equal('3')
      }
      const { ids } = started.jobs[0] ?? expect.fail('never ran')
      const owner = { kind: 'account', id: started.world.owner.accountId } as const
      expect(await started.world.ports.conversations.find(ids.conversationId ?? '', appId, owner)).to.equal(null)
      expect((await started.world.ports.runs.find(ids.runId))?.result?.status).to.equal('failed')
    })
  }

  it('H05 one audit row when a run is under way, none when it is refused', async () => {
    const appId = await started.world.addApp(chatFile())
    const rows = () => started.world.auditEvents.filter(({ event }) => event === 'app.run.openapi')
    await run(appId, { inputs: {} })
    started.held.fail({ code: 'completion_request_error', message: 'no' })
    await run(appId, { inputs: {}, query: 'hi' })
    expect(rows()).to.have.length(0)
    speak()
    await run(appId, { inputs: {}, query: 'hi' })
    expect(rows()).to.have.length(1)
    expect(rows()[0]?.facts).to.include({
      appId,
      callerKind: 'account',
      surface: 'apps',
      tokenId: started.login.tokenId,
    })
  })

  it('H06 a message has exactly its keys', async () => {
    speak()
    const chat = await run(await started.world.addApp(chatFile()), { inputs: {}, query: 'hi' })
    expect(Object.keys(chat.json)).to.have.members(MESSAGE_KEYS)
    expect(chat.json).to.include({ event: 'message', mode: 'chat', answer: 'Hello' })
    expect(chat.json.id).to.equal(chat.json.message_id)
    expect(chat.json.metadata).to.deep.equal({
      usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
      retriever_resources: [],
    })
    expect(chat.json.created_at).to.equal(Math.floor(started.world.clock.now() / 1000))
    speak()
    const completion = await run(await started.world.addApp(chatFile('C', 'completion')), { inputs: {} })
    expect(Object.keys(completion.json)).to.have.members(MESSAGE_KEYS.filter((key) => key !== 'conversation_id'))
  })

  it('H06 a workflow has exactly its keys, and a failed one is 200', async () => {
    const good = await run(await started.world.addApp(workflowFile()), { inputs: {} })
    expect(Object.keys(good.json)).to.have.members(['workflow_run_id', 'task_id', 'mode', 'data'])
    expect(Object.keys(good.json.data)).to.have.members([
      'id',
      'workflow_id',
      'status',
      'outputs',
      'error',
      'elapsed_time',
      'total_tokens',
      'total_steps',
      'created_at',
      'finished_at',
    ])
    expect(good.json.data).to.include({ status: 'succeeded', error: null, id: good.json.workflow_run_id })
    const bad = await run(await started.world.addApp(formFile('throws')), { inputs: { name: 'x', size: 1 } })
    expect([bad.status, bad.json.data.status]).to.deep.equal([200, 'failed'])
    expect(bad.json.data.error).to.be.a('string').and.not.equal('')
  })

  const ORDER = {
    chat: ['message', 'message', 'message_end'],
    completion: ['message', 'message', 'message_end'],
    'agent-chat': ['agent_thought', 'agent_message', 'agent_message', 'agent_thought', 'message_end'],
    'advanced-chat': [
      'ping',
      'workflow_started',
      'node_started',
      'node_finished',
      'node_started',
      'message',
      'message',
      'node_finished',
      'node_started',
      'node_finished',
      'message_end',
      'workflow_finished',
    ],
    workflow: [
      'ping',
      'workflow_started',
      'node_started',
      'node_finished',
      'node_started',
      'node_finished',
      'workflow_finished',
    ],
  }

  for (const { mode, file, body } of modes) {
    it(`H07 H08 ${mode} streams in its order, ends once, and agrees with blocking`, async () => {
      const appId = await started.world.addApp(file())
      speak()
      const streamed = await run(appId, { ...body, response_mode: 'streaming' })
      expect(streamed.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8')
      expect(streamed.headers.get('x-accel-buffering')).to.equal('no')
      const frames = framesIn(streamed.text)
      expect(frames.map(({ event }) => event)).to.deep.equal(ORDER[mode])
      for (const frame of frames.filter(({ event }) => event !== 'ping')) expect(frame.task_id).to.be.a('string')
      speak()
      const whole = await run(appId, body)
      if (mode === 'workflow') {
        const { outputs, status } = frames.at(-1).data
        expect({ outputs, status }).to.deep.equal({ outputs: whole.json.data.outputs, status: whole.json.data.status })
        return
      }
      expect(spoken(frames)).to.equal(whole.json.answer)
      const end = frames.find(({ event }) => event === 'message_end')
      expect(end.metadata).to.deep.equal(whole.json.metadata)
    })
  }

  it('H07 ten seconds of silence bring a ping, and only then', async () => {
    const appId = await started.world.addApp(chatFile())
    const opening = open(appId, { inputs: {}, query: 'hi' })
    started.held.say('Hel')
    const frames = readFrames(await opening)
    expect((await frames.next()).value.answer).to.equal('Hel')
    started.world.clock.advance(9_999)
    started.held.say('lo')
    expect((await frames.next()).value.answer).to.equal('lo')
    started.world.clock.advance(9_999)
    started.world.clock.advance(1)
    expect((await frames.next()).value).to.deep.equal({ event: 'ping' })
    started.held.end()
    expect((await frames.next()).value.event).to.equal('message_end')
    expect((await frames.next()).done).to.equal(true)
  })

  it('H09 response_mode wins, then Accept, then blocking', async () => {
    const appId = await started.world.addApp(workflowFile())
    const typeOf = async (body: object, accept?: string) => {
      const reply = await run(appId, { inputs: {}, ...body }, accept === undefined ? {} : { Accept: accept })
      return reply.headers.get('content-type')?.split(';')[0]
    }
    expect(await typeOf({ response_mode: 'blocking' }, 'text/event-stream')).to.equal('application/json')
    expect(await typeOf({ response_mode: 'streaming' }, 'application/json')).to.equal('text/event-stream')
    expect(await typeOf({}, 'text/event-stream')).to.equal('text/event-stream')
    expect(await typeOf({}, 'application/json, text/event-stream;q=0.5')).to.equal('application/json')
    expect(await typeOf({}, '*/*')).to.equal('application/json')
    expect(await typeOf({})).to.equal('application/json')
  })

  describe('H10 bad inputs are refused before any model is asked', () => {
    const cases: [string, object, string][] = [
      ['a missing required input', {}, 'name is required in input form'],
      ['an empty required input', { name: '' }, 'name is required in input form'],
      ['a text that is too long', { name: 'x'.repeat(101) }, 'name in input form must be less than 100 characters'],
      ['a number that is none', { name: 'x', size: 'many' }, 'size in input form must be a valid number'],
      [
        'an option off the list',
        { name: 'x', tone: 'rude' },
        'tone in input form must be one of the following: warm, cool',
      ],
    ]
    for (const [what, inputs, message] of cases) {
      it(what, async () => {
        const ask = sinon.spy(started.held.model, 'stream')
        const reply = await run(await started.world.addApp(formFile('asks')), { inputs })
        expect(reply.status, reply.text).to.equal(422)
        expect(JSON.parse(reply.json.message)).to.deep.equal(reply.json.details)
        expect(reply.json.details.map(({ msg }: { msg: string }) => msg)).to.include(message)
        expect(ask.called).to.equal(false)
      })
    }

    it('undeclared inputs are dropped and a numeric text is a number', async () => {
      const reply = await run(await started.world.addApp(formFile('shows')), {
        inputs: { name: 'x', size: '4', spare: 1 },
      })
      expect(reply.json.data.outputs).to.deep.equal({ name: 'x', size: 4 })
      expect(started.jobs[0]?.request.inputs).not.to.have.property('spare')
    })
  })

  describe('H11 a reader that hangs up', () => {
    it('ends a chat: the model call is aborted and the run recorded as stopped', async () => {
      const appId = await started.world.addApp(chatFile())
      const gone = new AbortController()
      const opening = open(appId, { inputs: {}, query: 'hi' }, gone.signal)
      started.held.say('Hel')
      const frames = readFrames(await opening)
      await frames.next()
      const atMs = Date.now()
      gone.abort()
      await frames.next().catch(() => null)
      await started.held.aborted
      expect(Date.now() - atMs).to.be.below(1000)
      expect(await endOf(started, started.jobs[0]?.ids.runId)).to.equal('stopped')
    })

    it('ends a blocking chat too', async () => {
      const appId = await started.world.addApp(chatFile())
      const gone = new AbortController()
      const asking = fetch(`${started.world.url}/openapi/v1/apps/${appId}/run`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${started.login.token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ inputs: {}, query: 'hi' }),
        signal: gone.signal,
      }).catch(() => null)
      started.held.say('Hel')
      await until(() => started.held.asked.length === 1)
      await until(() => started.world.auditEvents.some(({ event }) => event === 'app.run.openapi'))
      gone.abort()
      await asking
      await started.held.aborted
      expect(await endOf(started, started.jobs[0]?.ids.runId)).to.equal('stopped')
    })

    for (const mode of ['blocking', 'streaming']) {
      it(`ends a ${mode} chat whose model has not said a word yet, and is no fault in the log`, async () => {
        const appId = await started.world.addApp(chatFile())
        const lines = started.world.logLines.length
        const gone = new AbortController()
        const asking = fetch(`${started.world.url}/openapi/v1/apps/${appId}/run`, {
          method: 'POST',
          headers: { Authorization: `Bearer ${started.login.token}`, 'Content-Type': 'application/json' },
          body: JSON.stringify({ inputs: {}, query: 'hi', response_mode: mode }),
          signal: gone.signal,
        }).catch(() => null)
        await until(() => started.held.asked.length === 1)
        gone.abort()
        await asking
        await started.held.aborted
        expect(await endOf(started, started.jobs[0]?.ids.runId)).to.equal('stopped')
        await started.world.get('/openapi/v1/_health')
        expect(started.world.logLines.slice(lines).filter(({ level }) => level === 'error')).to.deep.equal([])
      })
    }

    it('leaves a workflow running to its end', async () => {
      const appId = await started.world.addApp(formFile('asks'))
      const gone = new AbortController()
      const frames = readFrames(await open(appId, { inputs: { name: 'x' } }, gone.signal))
      expect((await frames.next()).value.event).to.equal('ping')
      await until(() => started.held.asked.length === 1)
      gone.abort()
      await frames.next().catch(() => null)
      speak()
      expect(await endOf(started, started.jobs[0]?.ids.runId)).to.equal('succeeded')
    })
  })

  it('H13 a model error after the first word is one error event and a clean end', async () => {
    for (const [file, body, before] of [
      [chatFile(), { inputs: {}, query: 'hi' }, ['message', 'error']],
      [graphChatFile(), { inputs: {}, query: 'hi' }, ['message', 'node_finished', 'workflow_finished', 'error']],
    ] as const) {
      const appId = await started.world.addApp(file)
      started.held.say('Hel')
      started.held.fail({ code: 'completion_request_error', message: 'the line broke' })
      const { status, text } = await run(appId, { ...body, response_mode: 'streaming' })
      const frames = framesIn(text)
      expect(status).to.equal(200)
      expect(frames.map(({ event }) => event).slice(-before.length)).to.deep.equal(before)
      expect(frames.at(-1)).to.include({ code: 'completion_request_error', message: 'the line broke', status: 400 })
      expect(frames.filter(({ event }) => event === 'error')).to.have.length(1)
    }
  })

  it('H14 a conversation goes on: its id is echoed and its turns are sent', async () => {
    const appId = await started.world.addApp(chatFile())
    speak()
    const first = await run(appId, { inputs: {}, query: 'one' })
    const { conversation_id } = first.json
    started.held.say('Again')
    started.held.end()
    const second = await run(appId, { inputs: {}, query: 'two', conversation_id: ` ${conversation_id} ` })
    expect(second.json.conversation_id).to.equal(conversation_id)
    expect(started.held.asked[1]?.messages.map(({ role, text }) => [role, text])).to.deep.equal([
      ['system', 'Answer.'],
      ['user', 'one'],
      ['assistant', 'Hello'],
      ['user', 'two'],
    ])
  })

  it("H14 an unknown, another person's and another app's conversation look the same", async () => {
    const { world } = started
    const appId = await world.addApp(chatFile())
    const otherApp = await world.addApp(chatFile('Other'))
    speak()
    const { conversation_id } = (await run(appId, { inputs: {}, query: 'one' })).json
    await world.addMember('bea@example.test')
    const bea = await world.login({ browser: await world.signIn('bea@example.test') })
    const body = { inputs: {}, query: 'two', conversation_id }
    const foreign = await world.post(`/openapi/v1/apps/${appId}/run`, { token: bea.token, json: body })
    const elsewhere = await run(otherApp, body)
    const unknown = await run(appId, { ...body, conversation_id: NOBODYS })
    expect([foreign.status, foreign.text]).to.deep.equal([404, unknown.text])
    expect([elsewhere.status, elsewhere.text]).to.deep.equal([404, unknown.text])
  })
})

describe('POST /apps/:id/run without a model', () => {
  it('answers provider_not_initialize with a hint that names the variables, before the first event', async () => {
    const { world, login } = await start({ model: null })
    try {
      for (const file of [chatFile(), graphChatFile()]) {
        const appId = await world.addApp(file)
        const json = { inputs: {}, query: 'hi', response_mode: 'streaming' }
        const reply = await world.post(`/openapi/v1/apps/${appId}/run`, { token: login.token, json })
        expect([reply.status, reply.json.code]).to.deep.equal([400, 'provider_not_initialize'])
        expect(reply.json.hint).to.include('MODEL_BASE_URL')
      }
    } finally {
      await world.close()
    }
  })
})

const MESSAGE_KEYS = [
  'event',
  'task_id',
  'id',
  'message_id',
  'conversation_id',
  'mode',
  'answer',
  'metadata',
  'created_at',
]

function spoken(frames: readonly Frame[]): string {
  return frames
    .filter(({ event }) => event === 'message' || event === 'agent_message')
    .map(({ answer }) => answer)
    .join('')
}

/** How a run ended, once it has. */
async function endOf({ world }: Started, runId = ''): Promise<string | undefined> {
  await until(async () => (await world.ports.runs.find(runId))?.result != null)
  return (await world.ports.runs.find(runId))?.result?.status
}
