import { expect } from 'chai'
import { makeStopRun, type StopRun } from '#application/use-cases/stop-run.ts'
import { DomainError } from '#domain/errors.ts'
import { type Frame, framesIn, readFrames } from '../support/sse.ts'
import { aWorld, type Login, type World } from '../support/world.ts'
import { askingFile } from './app-files.ts'

describe('human input over HTTP', () => {
  let world: World
  let owner: Login
  let appId: string
  beforeEach(async () => {
    world = await aWorld()
    owner = await world.login()
    appId = await world.addApp(askingFile)
  })
  afterEach(() => world.close())

  const path = (token: string, app = appId) => `/openapi/v1/apps/${app}/form/human_input/${token}`
  const answer = (token: string, json: object, who = owner) => world.post(path(token), { token: who.token, json })

  /** Starts a run and reads it to its pause. */
  async function paused() {
    const reply = await world.post(`/openapi/v1/apps/${appId}/run`, {
      token: owner.token,
      json: { inputs: { who: 'Ann' }, response_mode: 'streaming' },
    })
    const frames = framesIn(reply.text)
    const asked = frames.find(({ event }) => event === 'human_input_required')
    const { form_token: token } = (asked?.data ?? {}) as { form_token: string }
    return { frames, token, runId: String(asked?.workflow_run_id) }
  }

  /** What the run ended with, once it has. */
  async function ended(runId: string, place = world) {
    const deadline = Date.now() + 5000
    for (;;) {
      const run = await place.ports.runs.find(runId)
      if (run?.result !== null && run?.result !== undefined) return run.result
      if (Date.now() > deadline) throw new Error(`the run is ${run?.status}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  it('asks, pauses, shows the form, takes one answer, and the run goes on to its end', async () => {
    const { frames, token, runId } = await paused()
    expect(frames.map(({ event }) => event).slice(-2)).to.deep.equal(['human_input_required', 'workflow_paused'])
    expect(frames.at(-1)?.data).to.deep.include({ status: 'paused', paused_nodes: ['ask'], total_steps: 2 })
    expect((await world.ports.runs.find(runId))?.status).to.equal('paused')

    const shown = await world.get(path(token), { token: owner.token })
    expect(shown.status, shown.text).to.equal(200)
    expect(shown.json).to.deep.include({
      form_content: 'Let Ann in? {{#$output.why#}}',
      resolved_default_values: { why: 'because' },
    })
    const taken = await answer(token, { action: 'yes', inputs: { why: 'I know her' } })
    expect(taken.status, taken.text).to.equal(200)
    expect(taken.json.workflow_run_id).to.equal(runId)
    expect(await ended(runId)).to.deep.include({ status: 'succeeded', outputs: { why: 'I know her' } })
    // A used token says no more than one that never was.
    const used = await answer(token, { action: 'yes' })
    const unknown = await answer('01900000-0000-4000-8000-000000000000', { action: 'yes' })
    expect([used.status, used.text]).to.deep.equal([unknown.status, unknown.text])
    expect(used.status).to.equal(404)
  })

  it('answers a blocking call with the pause', async () => {
    const reply = await world.post(`/openapi/v1/apps/${appId}/run`, {
      token: owner.token,
      json: { inputs: { who: 'Ann' }, response_mode: 'blocking' },
    })
    expect(reply.status, reply.text).to.equal(200)
    expect(reply.json.data).to.deep.include({ status: 'paused', finished_at: null, paused_nodes: ['ask'] })
  })

  it('goes on after an answer that comes before the pause was told', async () => {
    const told = Promise.withResolvers<string>()
    let answered: Promise<{ status: number }> | null = null
    const eager = await aWorld({
      change: (ports) => ({
        ...ports,
        runPauses: {
          ...ports.runPauses,
          async put(pause) {
            const token = await told.promise
            const kept = await ports.runPauses.put(pause)
            answered = eager.post(`/openapi/v1/apps/${app}/form/human_input/${token}`, {
              token: login.token,
              json: { action: 'yes' },
            })
            while ((await ports.runs.find(pause.ids.runId))?.status === 'paused') await new Promise(setImmediate)
            return kept
          },
        },
      }),
    })
    const login = await eager.login()
    const app = await eager.addApp(askingFile)
    try {
      const stream = await fetch(`${eager.url}/openapi/v1/apps/${app}/run`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${login.token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ inputs: { who: 'Ann' }, response_mode: 'streaming' }),
      })
      let last: Frame = null
      for await (const frame of readFrames(stream)) {
        last = frame
        if (frame.event === 'human_input_required') told.resolve(frame.data.form_token)
      }
      expect(last.event).to.equal('workflow_paused')
      expect(await answered).to.deep.include({ status: 200 })
      expect(await ended(last.workflow_run_id, eager)).to.deep.include({ status: 'succeeded' })
    } finally {
      await eager.close()
    }
  })

  it('takes the default of a field that was left out, and the way of the other action', async () => {
    const { token, runId } = await paused()
    await answer(token, { action: 'no' })
    expect(await ended(runId)).to.deep.include({ outputs: { refused: 'no' } })
  })

  it('lets one of ten answers at once win', async () => {
    const { token, runId } = await paused()
    const answers = await Promise.all(Array.from({ length: 10 }, () => answer(token, { action: 'yes' })))
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, ...Array<number>(9).fill(404)])
    expect(await ended(runId)).to.deep.include({ status: 'succeeded' })
  })

  it('refuses what is no answer to the form, naming the field, and the form stays open', async () => {
    const { token, runId } = await paused()
    for (const [json, field] of [
      [{ action: 'maybe' }, 'action'],
      [{ action: 'yes', inputs: { why: 7 } }, 'why'],
      [{ action: 'yes', inputs: { why: 'x'.repeat(20_001) } }, 'why'],
      [{ inputs: {} }, 'action'],
      [{ action: 'yes', inputs: [] }, 'inputs'],
    ] as const) {
      const reply = await answer(token, json)
      expect(reply.status).to.equal(422)
      expect(reply.text).to.include(field)
    }
    expect((await answer(token, { action: 'yes' })).status).to.equal(200)
    await ended(runId)
  })

  it('a stop that comes while the pause is being kept ends the run', async () => {
    const other = await aWorld({
      change: (ports) => ({
        ...ports,
        runPauses: {
          ...ports.runPauses,
          async put(pause) {
            const { status } = await other.post(`/openapi/v1/apps/${app}/tasks/${pause.ids.taskId}/stop`, {
              token: login.token,
            })
            expect(status).to.equal(200)
            return ports.runPauses.put(pause)
          },
        },
      }),
    })
    const login = await other.login()
    const app = await other.addApp(askingFile)
    try {
      const reply = await other.post(`/openapi/v1/apps/${app}/run`, {
        token: login.token,
        json: { inputs: { who: 'Ann' }, response_mode: 'streaming' },
      })
      const last = framesIn(reply.text).at(-1)
      expect(last?.event).to.equal('workflow_finished')
      expect(last?.data).to.deep.include({ status: 'stopped' })
      expect((await other.ports.runs.find(String(last?.workflow_run_id)))?.status).to.equal('stopped')
    } finally {
      await other.close()
    }
  })

  it('an answer that cannot be taken for now leaves the form open', async () => {
    let isAway = false
    const other = await aWorld({
      change: (ports) => ({
        ...ports,
        conversations: {
          ...ports.conversations,
          async history(...args) {
            if (isAway) throw new DomainError('service_unavailable', {})
            return ports.conversations.history(...args)
          },
        },
      }),
    })
    const login = await other.login()
    const app = await other.addApp(askingFile.replace('mode: workflow', 'mode: advanced-chat'))
    try {
      const reply = await other.post(`/openapi/v1/apps/${app}/run`, {
        token: login.token,
        json: { inputs: { who: 'Ann' }, query: 'hi', response_mode: 'streaming' },
      })
      const asked = framesIn(reply.text).find(({ event }) => event === 'human_input_required')
      const form = `/openapi/v1/apps/${app}/form/human_input/${asked?.data.form_token}`
      isAway = true
      expect((await other.post(form, { token: login.token, json: { action: 'yes' } })).status).to.equal(503)
      isAway = false
      expect((await other.post(form, { token: login.token, json: { action: 'yes' } })).status).to.equal(200)
      await ended(String(asked?.workflow_run_id), other)
    } finally {
      await other.close()
    }
  })

  it('takes no answer once the run was stopped', async () => {
    const { token, runId } = await paused()
    const run = await world.ports.runs.find(runId)
    // Of the admitted call only the app and the caller are looked at.
    const admitted = { app: { id: appId }, caller: { owner: run?.owner } } as Parameters<StopRun>[0]
    await makeStopRun(world.ports)(admitted, run?.taskId ?? '')
    expect((await ended(runId)).status).to.equal('stopped')
    expect((await answer(token, { action: 'yes' })).status).to.equal(404)
  })

  it('takes no answer after the time for it', async () => {
    const { token } = await paused()
    world.clock.advance(3_600_000)
    const reply = await answer(token, { action: 'yes' })
    expect(reply.status).to.equal(422)
    expect(reply.text).to.include('the form has expired')
  })

  it('is nobody else’s: not another person’s, nor another app’s', async () => {
    const { token } = await paused()
    await world.addMember('bea@example.test')
    const other = await world.login({ browser: await world.signIn('bea@example.test') })
    const foreign = await answer(token, { action: 'yes' }, other)
    const elsewhere = await world.post(path(token, await world.addApp(askingFile)), {
      token: owner.token,
      json: { action: 'yes' },
    })
    const bare = await world.post(path(token), { json: { action: 'yes' } })
    expect([foreign.status, elsewhere.status, bare.status]).to.deep.equal([404, 404, 401])
    expect((await world.get(path(token), { token: owner.token })).status).to.equal(200)
  })
})
