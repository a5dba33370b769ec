import { expect } from 'chai'
import { createMemoryRunControl } from '#adapters/memory/run-control.ts'
import { makeRunCases } from '#application/run-cases.ts'
import { framesIn } from '../support/sse.ts'
import { aWorld, type Login, SETTINGS, type World } from '../support/world.ts'
import { askingFile } from './app-files.ts'

const HOUR_MS = 3_600_000
const late = 'data: {type: end, title: Late, outputs: [{variable: late, value_selector: [ask, __action_id]}]}'

/** The asking app with a branch for when nobody answers. */
function withTimeout(handle: string): string {
  return askingFile
    .replace('    edges:\n', `    - id: late\n      ${late}\n    edges:\n`)
    .concat(`    - {id: e4, source: ask, target: late, sourceHandle: "${handle}", targetHandle: target}\n`)
}

describe('forms that nobody answers in time', () => {
  let world: World
  let owner: Login
  beforeEach(async () => {
    world = await aWorld()
    owner = await world.login()
  })
  afterEach(() => world.close())

  /** A run that waits for its form. */
  async function paused(file: string) {
    const appId = await world.addApp(file)
    const reply = await world.post(`/openapi/v1/apps/${appId}/run`, {
      token: owner.token,
      json: { inputs: { who: 'Ann' }, response_mode: 'streaming' },
    })
    const asked = framesIn(reply.text).find(({ event }) => event === 'human_input_required')
    const { form_token: token } = (asked?.data ?? {}) as { form_token: string }
    const answer = () =>
      world.post(`/openapi/v1/apps/${appId}/form/human_input/${token}`, {
        token: owner.token,
        json: { action: 'yes' },
      })
    return { appId, answer, runId: String(asked?.workflow_run_id) }
  }

  /** A process that knows nothing but what is stored: one that was started anew, or another replica. */
  const aProcess = () => makeRunCases({ ...world.ports, runControl: createMemoryRunControl() }, SETTINGS)

  async function ended(runId: string) {
    for (let turn = 0; turn < 10_000; turn++) {
      const run = await world.ports.runs.find(runId)
      if (run?.result !== null && run?.result !== undefined) return run.result
      await new Promise(setImmediate)
    }
    throw new Error('the run does not end')
  }

  for (const handle of ['__timeout', 'timeout']) {
    it(`let the run go on by its branch ${handle} after a restart, and take no answer from then on`, async () => {
      const { appId, answer, runId } = await paused(withTimeout(handle))
      const { tendRuns } = aProcess()
      world.clock.advance(HOUR_MS - 1)
      await tendRuns()
      expect((await world.ports.runs.find(runId))?.status).to.equal('paused')
      world.clock.advance(1)
      const joined = world.get(`/openapi/v1/apps/${appId}/tasks/${runId}/events?continue_on_pause=true`, {
        token: owner.token,
      })
      expect((await answer()).status).to.equal(422)
      await tendRuns()
      expect(await ended(runId)).to.deep.include({ status: 'succeeded', outputs: { late: '__timeout' } })
      expect((await answer()).status).to.equal(404)
      expect((await joined).status).to.equal(200)
    })
  }

  it('are put aside once, by whichever of five replicas', async () => {
    const { runId } = await paused(withTimeout('__timeout'))
    world.clock.advance(HOUR_MS)
    let taken = 0
    const runPauses: typeof world.ports.runPauses = {
      ...world.ports.runPauses,
      async take(token) {
        const pause = await world.ports.runPauses.take(token)
        if (pause !== null) taken++
        return pause
      },
    }
    const replicas = Array.from({ length: 5 }, () => makeRunCases({ ...world.ports, runPauses }, SETTINGS))
    await Promise.all(replicas.map(({ tendRuns }) => tendRuns()))
    expect(await ended(runId)).to.deep.include({ outputs: { late: '__timeout' } })
    expect(taken).to.equal(1)
  })

  it('end a run that has no branch for it', async () => {
    const { runId } = await paused(askingFile)
    world.clock.advance(HOUR_MS)
    await aProcess().tendRuns()
    expect(await ended(runId)).to.deep.include({ status: 'succeeded', outputs: {} })
  })

  it('do not keep each other from going on', async () => {
    const [broken, sound] = [await paused(withTimeout('timeout')), await paused(withTimeout('timeout'))]
    world.clock.advance(HOUR_MS)
    const { find } = world.ports.runs
    const runs: typeof world.ports.runs = {
      ...world.ports.runs,
      find: async (id) => {
        if (id === broken.runId) throw new Error('away')
        return find(id)
      },
    }
    await makeRunCases({ ...world.ports, runs }, SETTINGS).tendRuns()
    expect((await ended(sound.runId)).status).to.equal('succeeded')
    expect((await world.ports.runs.find(broken.runId))?.status).to.equal('paused')
  })
})
