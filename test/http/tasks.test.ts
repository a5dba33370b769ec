import { expect } from 'chai'
import sinon from 'sinon'
import { DomainError } from '#domain/errors.ts'
import { aHeldModel } from '../support/held-model.ts'
import { type Frame, nextFrame, readFrames, restOf } from '../support/sse.ts'
import { until } from '../support/until.ts'
import { aWorld, type Login, type World } from '../support/world.ts'
import { askingFile, chatFile, formFile } from './app-files.ts'
import { API, NO_BEARER_LIMIT } from './place.ts'

const NOBODYS = '01900000-0000-7000-8000-000000000000'

describe('runs that are under way', () => {
  let world: World
  let login: Login
  let held: ReturnType<typeof aHeldModel>
  beforeEach(async () => {
    held = aHeldModel()
    world = await aWorld({ model: held.model, settings: NO_BEARER_LIMIT })
    login = await world.login()
  })
  afterEach(() => world.close())

  const send = (path: string, init: RequestInit, who = login) =>
    fetch(`${world.url}${API}/apps/${path}`, {
      ...init,
      headers: { Authorization: `Bearer ${who.token}`, 'Content-Type': 'application/json' },
    })
  const start = (appId: string, json: object, signal?: AbortSignal) =>
    send(`${appId}/run`, {
      method: 'POST',
      body: JSON.stringify({ ...json, response_mode: 'streaming' }),
      ...(signal === undefined ? {} : { signal }),
    })
  const join = (appId: string, id: string, query = '') => send(`${appId}/tasks/${id}/events${query}`, {})
  const stop = (appId: string, task: string, who = login) =>
    world.post(`${API}/apps/${appId}/tasks/${task}/stop`, { token: who.token })

  /** A chat whose model has said one word. */
  async function aChat() {
    const appId = await world.addApp(chatFile())
    const opening = start(appId, { inputs: {}, query: 'hi' })
    held.say('Hel')
    const frames = readFrames(await opening)
    const first = await nextFrame(frames)
    return { appId, frames, first, task: String(first.task_id) }
  }

  it('N04 whoever joins is told what happened so far, and then the same as the starter', async () => {
    const { appId, frames, first, task } = await aChat()
    const joined = await join(appId, task, '?include_state_snapshot=true')
    expect(joined.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8')
    const other = readFrames(joined)
    expect(await nextFrame(other)).to.deep.equal(first)
    held.say('lo')
    held.end()
    const ended = await restOf(frames)
    expect(ended.map(({ event }) => event)).to.deep.equal(['message', 'message_end'])
    expect(await restOf(other)).to.deep.equal(ended)
  })

  it('N04 whoever joins while its process cannot be heard of gets 503, not an empty stream', async () => {
    const { appId, frames, task } = await aChat()
    const silence = sinon.stub(world.ports.runLog, 'reach').rejects(new DomainError('service_unavailable', {}))
    const refused = await join(appId, task)
    silence.restore()
    expect(refused.status).to.equal(503)
    expect(refused.headers.get('retry-after')).to.not.equal(null)
    held.end()
    await restOf(frames)
  })

  it('N04 whoever asks for no snapshot is told what comes', async () => {
    const { appId, frames, task } = await aChat()
    const other = readFrames(await join(appId, task))
    // Nothing tells when the log is being read: the model speaks until the other hears it.
    const live = nextFrame(other)
    let told: Frame = null
    const pump = (async () => {
      for (;;) {
        held.say('x')
        const frame = await nextFrame(frames)
        if (told !== null) return
        if (frame.event !== 'message') throw new Error(frame.event)
        await new Promise(setImmediate)
      }
    })()
    told = await live
    await pump
    expect(told.answer).to.not.equal('Hel')
    held.end()
    expect((await restOf(other)).at(-1)?.event).to.equal('message_end')
    await restOf(frames)
  })

  it('N04 a run that has ended is told again, by its own id and its task’s', async () => {
    const { appId, frames, task } = await aChat()
    held.say('lo')
    held.end()
    await restOf(frames)
    const run = await world.ports.runs.find(task)
    for (const id of [task, run?.id ?? '']) {
      const told = await restOf(readFrames(await join(appId, id)))
      expect(told.map(({ event, answer }) => [event, answer])).to.deep.equal([
        ['message', 'Hello'],
        ['message_end', undefined],
      ])
      expect(told[1]?.metadata.usage.total_tokens).to.equal(10)
    }
  })

  it('N04 a workflow that has ended is told with its outputs', async () => {
    const appId = await world.addApp(formFile('asks'))
    held.say('yes')
    held.end()
    const live = await restOf(readFrames(await start(appId, { inputs: { name: 'x' } })))
    const again = await restOf(readFrames(await join(appId, live[0]?.workflow_run_id)))
    expect(again.map(({ event }) => event)).to.deep.equal(['workflow_started', 'workflow_finished'])
    expect(again[1]?.data).to.deep.equal(live.at(-1)?.data)
  })

  it('N04 a workflow goes on when its starter hangs up, and whoever joins sees its end', async () => {
    const appId = await world.addApp(formFile('asks'))
    const gone = new AbortController()
    const frames = readFrames(await start(appId, { inputs: { name: 'x' } }, gone.signal))
    const { workflow_run_id: runId } = await nextFrame(frames)
    gone.abort()
    await frames.next().catch(() => null)
    const other = readFrames(await join(appId, runId, '?include_state_snapshot=1'))
    expect((await nextFrame(other)).event).to.equal('workflow_started')
    held.say('yes')
    held.end()
    expect((await restOf(other)).at(-1)).to.deep.include({ event: 'workflow_finished' })
  })

  it('H16 a stop ends the stream, is recorded, and may be said twice', async () => {
    const { appId, frames, task } = await aChat()
    const other = readFrames(await join(appId, task, '?include_state_snapshot=true'))
    const stopped = await stop(appId, task)
    expect([stopped.status, stopped.json]).to.deep.equal([200, { result: 'success' }])
    expect((await restOf(frames)).at(-1)?.event).to.equal('message_end')
    expect((await restOf(other)).at(-1)?.event).to.equal('message_end')
    expect((await world.ports.runs.find(task))?.status).to.equal('stopped')
    expect((await stop(appId, task)).status).to.equal(200)
  })

  // An id that is somebody else's must not even be known to exist.
  it('N01 is nobody else’s: another person, another app, an unknown and a malformed id get one answer', async () => {
    const { appId, frames, task } = await aChat()
    await world.addMember('bea@example.test')
    const bea = await world.login({ browser: await world.signIn('bea@example.test') })
    const elsewhere = await world.addApp(chatFile('Other'))
    for (const [verb, ask] of [
      ['stop', stop],
      ['events', (app: string, id: string, who: Login) => world.get(`${API}/apps/${app}/tasks/${id}/events`, who)],
    ] as const) {
      const answers = await Promise.all([
        ask(appId, NOBODYS, login),
        ask(appId, task, bea),
        ask(elsewhere, task, login),
        ask(appId, 'not-a-uuid', login),
        ask(appId, '..%2f..', login),
      ])
      expect(answers.map(({ status }) => status)).to.deep.equal([404, 404, 404, 404, 404])
      expect(new Set(answers.map(({ text }) => text)), verb).to.have.property('size', 1)
    }
    const bare = await world.post(`${API}/apps/${appId}/tasks/${task}/stop`, {})
    expect(bare.status).to.equal(401)
    held.end()
    expect((await restOf(frames)).at(-1)?.event).to.equal('message_end')
  })

  it('refuses what is no flag', async () => {
    const { appId, task } = await aChat()
    const reply = await world.get(`${API}/apps/${appId}/tasks/${task}/events?continue_on_pause=perhaps`, login)
    expect([reply.status, reply.text.includes('continue_on_pause')]).to.deep.equal([422, true])
    held.end()
  })

  describe('a run that waits for a person', () => {
    /** A run read to its pause. */
    async function paused() {
      const appId = await world.addApp(askingFile)
      const frames = await restOf(readFrames(await start(appId, { inputs: { who: 'Ann' } })))
      const asked = frames.find(({ event }) => event === 'human_input_required')
      const answer = () =>
        world.post(`${API}/apps/${appId}/form/human_input/${asked?.data.form_token}`, {
          token: login.token,
          json: { action: 'yes' },
        })
      return { appId, frames, runId: String(asked?.workflow_run_id), answer }
    }

    it('N05 is told again up to its pause', async () => {
      const { appId, frames, runId } = await paused()
      const told = await restOf(readFrames(await join(appId, runId, '?include_state_snapshot=true')))
      expect(told).to.deep.equal(frames)
    })

    it('N05 is followed through the answer to its end, when asked so', async () => {
      const { appId, frames, runId, answer } = await paused()
      const query = '?include_state_snapshot=true&continue_on_pause=true'
      const other = readFrames(await join(appId, runId, query))
      for (const frame of frames) expect(await nextFrame(other)).to.deep.equal(frame)
      world.clock.advance(1000)
      expect((await answer()).status).to.equal(200)
      await until(async () => (await world.ports.runs.find(runId))?.status === 'succeeded')
      world.clock.advance(1000)
      const told = restOf(other)
      let isOver = false
      void told.then(() => {
        isOver = true
      })
      // It looks once a second, by the clock of this world.
      await until(() => {
        world.clock.advance(1000)
        return isOver
      })
      expect((await told).at(-1)).to.deep.include({ event: 'workflow_finished' })
    })
  })

  describe('RUNS_PER_WORKSPACE', () => {
    it('refuses one more run than a workspace may have, and takes it when one has ended', async () => {
      await world.close()
      held = aHeldModel()
      world = await aWorld({ model: held.model, settings: { runsPerWorkspace: 1 } })
      login = await world.login()
      const { appId, frames } = await aChat()
      const refused = await start(appId, { inputs: {}, query: 'more' })
      expect(refused.status).to.equal(429)
      expect(refused.headers.get('retry-after')).to.equal('5')
      expect(await refused.json()).to.deep.include({ error: 'rate_limit_error', code: 'rate_limit_error' })
      held.end()
      await restOf(frames)
      held.say('again')
      held.end()
      const admitted = await restOf(readFrames(await start(appId, { inputs: {}, query: 'more' })))
      expect(admitted.at(-1)?.event).to.equal('message_end')
    })
  })
})
