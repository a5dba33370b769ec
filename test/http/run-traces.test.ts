import { expect } from 'chai'
import sinon from 'sinon'
import { parseAdminCommand } from '#adapters/admin/parse-command.ts'
import { runAdminCommand } from '#adapters/admin/run-command.ts'
import { UsageError } from '#adapters/admin/usage-error.ts'
import { framesIn } from '../support/sse.ts'
import { aWorld, type World } from '../support/world.ts'
import { askingFile } from './app-files.ts'

describe('latchkey run show', () => {
  let world: World
  beforeEach(async () => {
    world = await aWorld()
  })
  afterEach(() => world.close())

  const show = async (...words: readonly string[]) =>
    runAdminCommand(
      world.cases,
      await parseAdminCommand(['run', 'show', ...words], { readStdin: async () => '', env: {} }),
    )

  it('tells what each node of a run did, also of one that waits, and of all its parts once it has gone on', async () => {
    const { token } = await world.login()
    const appId = await world.addApp(askingFile)
    const reply = await world.post(`/openapi/v1/apps/${appId}/run`, {
      token,
      json: { inputs: { who: 'Ann' }, response_mode: 'streaming' },
    })
    const asked = framesIn(reply.text).find(({ event }) => event === 'human_input_required')
    const runId = String(asked?.workflow_run_id)
    const nodes = async () => (await show(runId, '--json')).lines.slice(1).map((line) => JSON.parse(line))
    expect((await nodes()).map(({ node_type }) => node_type)).to.deep.equal(['start'])
    const form = asked?.data as { form_token: string }
    await world.post(`/openapi/v1/apps/${appId}/form/human_input/${form.form_token}`, {
      token,
      json: { action: 'yes' },
    })
    for (let turn = 0; turn < 1000 && (await nodes()).length < 3; turn++) await new Promise(setImmediate)
    expect((await nodes()).map(({ node_type, status }) => [node_type, status])).to.deep.equal([
      ['start', 'succeeded'],
      ['human-input', 'succeeded'],
      ['end', 'succeeded'],
    ])
    const { ok, lines } = await show(runId)
    expect(ok).to.equal(true)
    expect(lines[0]).to.contain(runId).and.to.contain('succeeded')
    expect(lines.join('\n')).to.contain('human-input').and.to.contain('because')
  })

  it('keeps what nodes saw and made out of the log that readers and other processes share', async () => {
    const append = sinon.spy(world.ports.runLog, 'append')
    const { token } = await world.login()
    const appId = await world.addApp(askingFile)
    await world.post(`/openapi/v1/apps/${appId}/run`, {
      token,
      json: { inputs: { who: 'Ann' }, response_mode: 'streaming' },
    })
    const finished = append.args.map(([, step]) => step).filter((step) => step.kind === 'node_finished')
    expect(finished).to.have.length.above(0)
    for (const { inputs, processData, outputs, error } of finished) {
      expect({ inputs, processData, outputs, error }).to.deep.equal({
        inputs: {},
        processData: {},
        outputs: {},
        error: null,
      })
    }
  })

  it('says that there is no such run, and takes an id', async () => {
    const none = await show('01900000-0000-4000-8000-000000000000')
    expect(none).to.deep.include({ ok: false, lines: ['no run has this id'] })
    for (const words of [[], ['everything']]) {
      const refused = await show(...words).catch((error: unknown) => error)
      expect(refused).to.be.instanceOf(UsageError)
    }
  })
})
