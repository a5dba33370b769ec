import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { expect } from 'chai'
import { answer, aServiceApi, type Mischief, refuse, type ServiceDouble, stream } from '../../support/service-api.ts'
import { type Frame, framesIn, readFrames } from '../../support/sse.ts'
import type { WorldOptions } from '../../support/world.ts'
import { chatFile, graphChatFile, workflowFile } from '../app-files.ts'
import { API, aPlace, mintOwn, NO_BEARER_LIMIT, type Place } from '../place.ts'

const LOOPBACK = { allowCidrs: ['127.0.0.0/8'], allowHosts: [] }
const FILES = {
  chat: chatFile(),
  completion: chatFile('Completion', 'completion'),
  'agent-chat': chatFile('Agent', 'agent-chat'),
  'advanced-chat': graphChatFile(),
  workflow: workflowFile(),
} as const
type Mode = keyof typeof FILES

/** Apps that run on an existing Dify, on whatever stores `options` name. */
export function upstreamSuite(name: string, options: WorldOptions): void {
  describe(`an app bound to an existing Dify: ${name}`, () => {
    let place: Place
    let there: ServiceDouble
    let token: string
    before(async () => {
      place = await aPlace({
        ...options,
        model: null,
        egress: LOOPBACK,
        settings: NO_BEARER_LIMIT,
      })
      token = await mintOwn(place)
    })
    after(() => place.close())
    afterEach(() => there.close())

    async function bound(mode: Mode, key?: string): Promise<string> {
      there = await aServiceApi(mode)
      const appId = await place.addApp(FILES[mode])
      await bind(appId, there.url, key ?? there.key)
      return appId
    }
    const bind = (appId: string, url: string, key: string | null) =>
      place.cases.bindings.set(
        { accountId: place.owner.accountId, workspaceId: place.owner.workspaceId },
        { subject: { kind: 'app', provider: '', name: appId }, target: { via: 'upstream', url }, key },
      )
    const run = (appId: string, json: object, as = token) =>
      place.post(`${API}/apps/${appId}/run`, { token: as, json: { inputs: {}, ...json } })
    const blocking = (appId: string, json: object = {}, as = token) =>
      run(appId, { response_mode: 'blocking', ...json }, as)
    const streamed = async (appId: string, json: object = {}): Promise<Frame[]> =>
      framesIn((await run(appId, { response_mode: 'streaming', ...json })).text).filter(({ event }) => event !== 'ping')
    /** What the other server was asked to stop; it is not waited for here. */
    async function stopThere() {
      const deadline = Date.now() + 5000
      for (;;) {
        const said = there.asked.find(({ path }) => path.endsWith('/stop'))
        if (said !== undefined) return said
        expect(Date.now(), 'no stop within 5 s').to.be.below(deadline)
        await new Promise(setImmediate)
      }
    }
    const queryOf = (mode: Mode) => (mode === 'workflow' ? {} : { query: 'hello' })

    for (const mode of ['chat', 'completion', 'agent-chat', 'advanced-chat', 'workflow'] as const) {
      it(`runs a ${mode} there, streaming and blocking alike, with no name of that server’s`, async () => {
        const appId = await bound(mode)
        const frames = await streamed(appId, queryOf(mode))
        const folded = await blocking(appId, queryOf(mode))
        expect(folded.status, folded.text).to.equal(200)
        const last = frames.at(-1)
        if (mode === 'workflow') {
          expect(last).to.deep.include({ event: 'workflow_finished' })
          expect(last.data).to.deep.include({ status: 'succeeded', total_tokens: 9, total_steps: 2 })
          expect(folded.json.data.outputs).to.deep.equal(last.data.outputs)
          expect(frames.find(({ event }) => event === 'text_chunk').data.text).to.equal('piece')
        } else {
          const end = frames.find(({ event }) => event === 'message_end')
          expect(end.metadata.usage).to.deep.equal({ prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 })
          const said = frames.filter(({ event }) => /^(?:agent_)?message$/.test(event)).map(({ answer: text }) => text)
          expect(said.join('')).to.include('hello')
          expect(folded.json.answer).to.equal(said.join(''))
          expect(folded.json.metadata.retriever_resources).to.have.length(1)
        }
        const seen = JSON.stringify(frames) + folded.text
        expect(there.ids.filter((id) => seen.includes(id))).to.deep.equal([])
        const { authorization, body } = there.asked.at(-1) ?? {}
        expect(authorization).to.equal(`Bearer ${there.key}`)
        expect(body.response_mode).to.equal('streaming')
      })
    }

    it('goes on with a conversation of one’s own, and knows none of anybody else’s', async () => {
      const appId = await bound('chat')
      const first = await blocking(appId, { query: 'one' })
      const again = { query: 'two', conversation_id: first.json.conversation_id }
      expect((await blocking(appId, again)).json.answer).to.equal('turn 2: two')
      await place.addMember('mia@example.test', 'normal')
      const browser = await place.signIn('mia@example.test')
      const mia = (await place.login({ browser })).token
      expect((await blocking(appId, again, mia)).status).to.equal(404)
      const [theirs = ''] = there.conversations.keys()
      expect((await blocking(appId, { ...again, conversation_id: theirs })).status, 'an id of that server').to.equal(
        404,
      )
      await blocking(appId, { query: 'hers' }, mia)
      const users = new Set([...there.conversations.values()].map(({ user }) => user))
      expect(users.size, 'each caller is somebody else there').to.equal(2)
      for (const user of users) {
        expect(user).to.match(/^latchkey-[0-9a-f]{32}$/)
        expect(user).to.not.include(place.owner.accountId)
      }
    })

    it('describes what the app takes there, and refuses what it does not, before anything is run', async () => {
      const appId = await bound('workflow')
      there.state.parameters = {
        user_input_form: [{ 'text-input': { variable: 'city', label: 'City', required: true, max_length: 8 } }],
      }
      const { json } = await place.get(`${API}/apps/${appId}/describe`, { token })
      expect(json.parameters.user_input_form[0]['text-input'].variable).to.equal('city')
      expect(json.parameters.opening_statement).to.equal('Hi from there')
      const refused = await blocking(appId)
      expect([refused.status, refused.json.code]).to.deep.equal([422, 'unprocessable_entity'])
      expect(refused.text).to.include('city')
      expect(there.asked.map(({ path }) => path)).to.not.include('/v1/workflows/run')
      const done = await run(appId, { inputs: { city: 'Ulm', other: 1 }, response_mode: 'blocking' })
      expect(done.json.data.outputs.got).to.deep.equal({ city: 'Ulm' })
    })

    it('brings the caller’s upload there first, and nobody else’s', async () => {
      const appId = await bound('chat')
      there.state.parameters = {
        user_input_form: [{ file: { variable: 'doc', label: 'Doc', required: true } }],
      }
      const form = new FormData()
      form.append('file', new Blob(['a small text'], { type: 'text/plain' }), 'note.txt')
      const uploaded = await fetch(`${place.url}${API}/apps/${appId}/files/upload`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}` },
        body: form,
      })
      const { id } = (await uploaded.json()) as { id: string } // the route's reply
      const doc = { type: 'document', transfer_method: 'local_file', upload_file_id: id }
      const done = await run(appId, { inputs: { doc }, query: 'read', response_mode: 'blocking' })
      expect(done.status, done.text).to.equal(200)
      const sent = there.asked.find(({ path }) => path === '/v1/files/upload')
      expect(sent?.text).to.include('a small text').and.include('note.txt')
      const given = there.asked.at(-1)?.body.inputs.doc
      expect(given).to.deep.include({ type: 'document', transfer_method: 'local_file' })
      expect(there.ids).to.include(given.upload_file_id)
      const foreign = { ...doc, upload_file_id: randomUUID() }
      expect((await run(appId, { inputs: { doc: foreign }, query: 'read' })).status).to.equal(422)
    })

    it('H16 a stop reaches the task there, and ends the stream here', async () => {
      const appId = await bound('chat')
      there.state.holds = true
      const response = await fetch(`${place.url}${API}/apps/${appId}/run`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ inputs: {}, query: 'hello', response_mode: 'streaming' }),
      })
      const frames = readFrames(response)
      const first: Frame = (await frames.next()).value
      const stopped = await place.post(`${API}/apps/${appId}/tasks/${first.task_id}/stop`, { token })
      expect(stopped.json).to.deep.equal({ result: 'success' })
      const rest: Frame[] = []
      for await (const frame of frames) rest.push(frame)
      expect(rest.at(-1)?.event).to.equal('message_end')
      const said = await stopThere()
      expect(there.ids.some((id) => said.path === `/v1/chat-messages/${id}/stop`)).to.equal(true)
      expect(said.body.user).to.equal(there.asked.find(({ path }) => path === '/v1/chat-messages')?.body.user)
    })

    it('asks a server only where apps may go, and follows it nowhere', async () => {
      const appId = await bound('chat')
      await bind(appId, 'http://10.1.2.3/v1', there.key)
      const closed = await blocking(appId, { query: 'x' })
      expect([closed.status, closed.json.code]).to.deep.equal([502, 'upstream_failed'])
      expect(closed.json.hint).to.include('EGRESS_ALLOW_HOSTS')
      await bind(appId, there.url, there.key)
      const elsewhere = await aServiceApi('chat')
      there.state.mischief = (response) =>
        void response.writeHead(307, { Location: `${elsewhere.url}/chat-messages` }).end()
      expect((await blocking(appId, { query: 'x' })).status).to.equal(502)
      expect(elsewhere.asked).to.deep.equal([])
      await elsewhere.close()
    })

    it('a wrong key, or that of another app, is told with what to do, and never repeated', async () => {
      const appId = await bound('chat', 'app-the-wrong-key-0000')
      const refused = await blocking(appId, { query: 'x' })
      expect([refused.status, refused.json.code]).to.deep.equal([502, 'upstream_failed'])
      expect(refused.json.hint).to.include('bind the app again')
      const described = await place.get(`${API}/apps/${appId}/describe`, { token })
      expect(described.status).to.equal(502)
      expect(refused.text + described.text).to.not.include('app-the-wrong-key')
      const other = await aServiceApi('workflow', there.key)
      await bind(appId, other.url, other.key)
      expect((await blocking(appId, { query: 'x' })).json.message).to.include('another kind')
      await other.close()
    })

    const says =
      (text: string): Mischief =>
      (response) =>
        void stream(response, text).end()
    const aMessage = (delta: string) =>
      `data: ${JSON.stringify({ event: 'message', task_id: 't', message_id: 'm', conversation_id: 'c', answer: delta })}\n\n`
    const MISCHIEF: readonly (readonly [what: string, mischief: Mischief, status: number, code: string])[] = [
      [
        '500 with a page',
        (response) => void response.writeHead(500, { 'Content-Type': 'text/html' }).end('<h1>oh</h1>'),
        502,
        'upstream_failed',
      ],
      ['404', (response) => refuse(response, 404, 'not_found', 'no such thing'), 502, 'upstream_failed'],
      [
        'a conversation that is gone',
        (response) => refuse(response, 404, 'not_found', 'Conversation Not Exists.'),
        400,
        'invalid_param',
      ],
      ['429', (response) => void response.writeHead(429, { 'Retry-After': '7' }).end('{}'), 429, 'rate_limit_error'],
      [
        'a quota',
        (response) => refuse(response, 400, 'provider_quota_exceeded', 'no money'),
        400,
        'provider_quota_exceeded',
      ],
      ['JSON instead of a stream', (response) => answer(response, { answer: 'hi' }), 502, 'upstream_failed'],
      ['garbage', says('data: {"event":\n\n'), 502, 'upstream_failed'],
      ['an empty stream', says(''), 502, 'upstream_failed'],
      ['an end before the end', says(aMessage('half').slice(0, -20)), 502, 'upstream_failed'],
      ['a connection that is cut', (response) => void stream(response, 'data: {"ev').destroy(), 502, 'upstream_failed'],
      ['an event without end', (response) => flood(response), 502, 'upstream_failed'],
      [
        'an error inside the stream',
        says(
          `data: ${JSON.stringify({ event: 'error', status: 400, code: 'completion_request_error', message: 'the model said no' })}\n\n`,
        ),
        400,
        'completion_request_error',
      ],
      [
        'the key in its error',
        (response, request) =>
          refuse(response, 400, 'completion_request_error', `bad: ${request.headers.authorization}`),
        400,
        'completion_request_error',
      ],
      [
        'a pause for a person',
        says(`data: ${JSON.stringify({ event: 'human_input_required', data: {} })}\n\n`),
        502,
        'upstream_failed',
      ],
    ]
    for (const [what, mischief, status, code] of MISCHIEF) {
      it(`${what} is one clear refusal: ${status} ${code}`, async () => {
        const appId = await bound('chat')
        there.state.mischief = mischief
        const refused = await blocking(appId, { query: 'hello' })
        expect([refused.status, refused.json.code], refused.text).to.deep.equal([status, code])
        expect(refused.text).to.not.include(there.key)
        if (status === 429) expect(refused.headers.get('retry-after')).to.equal('7')
        there.state.mischief = null
        expect((await blocking(appId, { query: 'hello' })).status, 'the next run').to.equal(200)
      })
    }

    it('what goes wrong after the first word is an event, and the last', async () => {
      const appId = await bound('chat')
      there.state.mischief = (response) => void stream(response, aMessage('half a ')).end('data: nonsense\n\n')
      const frames = await streamed(appId, { query: 'hello' })
      expect(frames.map(({ event }) => event)).to.deep.equal(['message', 'error'])
      expect(frames.at(-1)).to.include({ code: 'upstream_failed', status: 502 })
    })

    it('whoever hangs up ends the run there', async () => {
      const appId = await bound('chat')
      there.state.holds = true
      const gone = new AbortController()
      const response = await fetch(`${place.url}${API}/apps/${appId}/run`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ inputs: {}, query: 'hello', response_mode: 'streaming' }),
        signal: gone.signal,
      })
      await response.body?.getReader().read()
      gone.abort()
      await stopThere()
    })

    it('an app whose key can no longer be opened does not run here instead', async () => {
      const appId = await bound('chat')
      const { workspaceId } = place.owner
      const stored = (await place.ports.bindings.list(workspaceId)).find(({ subject }) => subject.name === appId)
      if (stored === undefined) throw new Error('not bound')
      await place.ports.bindings.put({ ...stored, sealedKey: 'v1.bm9uZQ.AAAA' })
      const refused = await blocking(appId, { query: 'x' })
      expect([refused.status, refused.json.code]).to.deep.equal([422, 'app_not_runnable'])
      expect(refused.text).to.include('bind-upstream')
    })

    it('is bound by admins to apps of their own workspace only', async () => {
      const appId = await bound('chat')
      const refused = await bind(randomUUID(), there.url, there.key).catch((error: unknown) => error)
      expect(refused).to.include({ code: 'invalid_input' })
      await place.addMember('ed@example.test', 'editor')
      const editor = await place.cases.findAccount('ed@example.test')
      const byEditor = await place.cases.bindings
        .set(
          { accountId: editor?.id ?? '', workspaceId: place.owner.workspaceId },
          {
            subject: { kind: 'app', provider: '', name: appId },
            target: { via: 'upstream', url: there.url },
            key: 'k',
          },
        )
        .catch((error: unknown) => error)
      expect(byEditor).to.include({ code: 'role_required' })
    })
  })
}

/** Far more than any event, and no line end. */
function flood(response: Parameters<Mischief>[0]): void {
  const piece = 'x'.repeat(1024 * 1024)
  stream(response, 'data: ')
  const more = async () => {
    for (let sent = 0; sent < 64 && !response.destroyed; sent++) {
      if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')])
    }
    response.end()
  }
  void more()
}
