import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CHILD_ENV } from '../support/child-env.ts'
import { aModelEndpoint } from '../support/model-endpoint.ts'
import { anOtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { OWNER } from '../support/world.ts'

const ROOT = join(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'src/main.ts')
const QUESTION = 'what nobody else may read'
const STRANGERS = '0af7651916cd43dd8448eb211c80319c'

describe('traces of a real server', function () {
  this.timeout(60_000)
  let home: string
  let server: ServerProcess
  let receiver: Awaited<ReturnType<typeof anOtlpReceiver>>
  let model: Awaited<ReturnType<typeof aModelEndpoint>>
  const secrets: string[] = []
  let ready = ''

  const env = () => ({
    ...CHILD_ENV,
    PORT: '0',
    DATA_DIR: join(home, 'data'),
    MODEL_BASE_URL: model.url,
    MODEL_NAME: 'any',
    MODEL_API_KEY: 'sk-model-secret',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=one',
    OTEL_SERVICE_NAME: 'desk',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    SHUTDOWN_DELAY_S: '3',
  })

  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'latchkey-traces-'))
    receiver = await anOtlpReceiver()
    model = await aModelEndpoint('said by the model')
    server = await startServer(home, env())
    await exercise()
    ready = await (await fetch(`${server.url}/readyz`)).text()
    const stopped = server.stop()
    await drainsFirst()
    await stopped
  })
  after(async () => {
    // Gone already, unless something failed on the way.
    await server.stop('SIGKILL')
    await receiver.close()
    await model.close()
    rmSync(home, { recursive: true, force: true })
  })

  const draining: number[] = []
  /** A signal takes its time to arrive. */
  async function drainsFirst() {
    const status = async (path: string) => (await fetch(server.url + path)).status
    for (let asked = 0; asked < 1000 && (await status('/readyz')) !== 503; asked++);
    for (const path of ['/readyz', '/livez', '/openapi/v1/_version']) draining.push(await status(path))
  }

  async function exercise() {
    await server.post('/console/api/setup', { json: OWNER })
    const browser = await server.signIn()
    const { token, deviceCode, userCode } = await server.login({ label: 'm', clientId: 'latchkey', browser })
    secrets.push(token, deviceCode, userCode, browser.csrf, OWNER.email, OWNER.password, QUESTION, 'said by the model')
    for (const example of ['assistant-chat.yml', 'greeting-workflow.yml']) {
      const done = spawnSync(process.execPath, [MAIN, 'app', 'import', join(ROOT, 'examples', example)], {
        cwd: home,
        env: env(),
        encoding: 'utf8',
      })
      expect(done.status, done.stderr).to.equal(0)
    }
    const { json: listed } = await server.get('/openapi/v1/workspaces', { token })
    const { json: apps } = await server.get(`/openapi/v1/apps?workspace_id=${listed.workspaces[0].id}`, { token })
    for (const { id, mode } of apps.data) {
      const body = mode === 'workflow' ? { inputs: { name: QUESTION } } : { inputs: {}, query: QUESTION }
      const traceparent = `00-${STRANGERS}-b7ad6b7169203331-01`
      const json = { ...body, response_mode: 'blocking' }
      const run = await server.post(`/openapi/v1/apps/${id}/run`, { token, json, headers: { traceparent } })
      expect(run.status, run.text).to.equal(200)
    }
    await fetch(`${server.url}/nowhere/${userCode}`)
  }

  const named = (name: string) => receiver.spans.filter((span) => span.name === name)
  const within = (span: ReceivedSpan, root: ReceivedSpan): boolean =>
    span.traceId === root.traceId &&
    (span.parentSpanId === root.spanId ||
      receiver.spans.some((one) => one.spanId === span.parentSpanId && within(one, root)))

  it('L06 a request is a span, with its guards, stores, run, nodes and model within', () => {
    const runs = named('POST /openapi/v1/apps/:id/run')
    expect(runs).to.have.length(2)
    const inRuns = (name: string) => named(name).filter((span) => runs.some((run) => within(span, run))).length
    for (const name of ['guard.bearerCheck', 'guard.scopeCheck', 'guard.accessCheck', 'guard.callerMount', 'run']) {
      expect(inRuns(name), name).to.equal(2)
    }
    expect(inRuns('limiter.admit')).to.be.at.least(2)
    expect(inRuns('model call')).to.equal(1)
    expect(inRuns('node')).to.be.at.least(2)
    expect(named('GET unmatched')).to.have.length(1)
  })

  it('sends where, as whom and with what the standard variables say', () => {
    expect(receiver.headers[0]).to.include({ path: '/v1/traces', 'x-tenant': 'one' })
    const resource = JSON.stringify(JSON.parse(receiver.bodies[0] ?? '').resourceSpans[0].resource)
    for (const text of ['desk', 'deployment.environment.name', 'service.version']) expect(resource).to.contain(text)
  })

  // Whoever could continue a trace could have everything of theirs recorded, and write into the traces of others.
  it('a stranger’s trace is linked, not continued', () => {
    for (const run of named('POST /openapi/v1/apps/:id/run')) {
      expect(run.traceId).to.not.equal(STRANGERS)
      expect(run.links?.map(({ traceId }) => traceId)).to.deep.equal([STRANGERS])
    }
  })

  it('a model is told of the trace that asks it', () => {
    const [call] = named('model call')
    expect(model.traceparents).to.have.length(1)
    expect(model.traceparents[0]).to.match(new RegExp(`^00-${call?.traceId}-[0-9a-f]{16}-01$`))
  })

  it('E17 no token, code, password, address, input or answer stands in a span', () => {
    expect(receiver.spans.length).to.be.greaterThan(20)
    const told = receiver.bodies.join('\n')
    for (const secret of [...secrets, 'sk-model-secret', '127.0.0.1']) {
      expect(secret).to.not.equal('')
      expect(told.includes(secret), secret).to.equal(false)
    }
    expect(told).to.not.match(/dfoa_|dfoe_|dc_[A-Za-z0-9_-]{10}|Bearer/)
  })

  it('log lines tell their trace', () => {
    const traces = new Set(receiver.spans.map(({ traceId }) => traceId))
    const ids = server.lines.flatMap((line) => /"trace_id":"(\w+)"/.exec(line)?.[1] ?? [])
    expect(ids.length).to.be.greaterThan(0)
    for (const id of ids) expect(traces.has(id)).to.equal(true)
  })

  it('L01 a server that is told to stop first says so to probes, and still answers', () => {
    expect(ready).to.equal('{"ready":true,"degraded":[]}')
    expect(draining).to.deep.equal([503, 200, 200])
  })
})
