import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { aModelEndpoint } from '../support/model-endpoint.ts'
import { anOtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts'

const ROOT = join(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'src/main.ts')
const OWNER = { email: 'owner@example.test', name: 'Owner', password: 'correct horse 9' }
const QUESTION = 'what nobody else may read'
const STRANGERS = '0af7651916cd43dd8448eb211c80319c'

describe('traces of a real server', function () {
  this.timeout(60_000)
  let home: string
  let server: ChildProcess
  let origin = ''
  let receiver: Awaited<ReturnType<typeof anOtlpReceiver>>
  let model: Awaited<ReturnType<typeof aModelEndpoint>>
  const secrets: string[] = []
  const lines: string[] = []
  let ready = ''

  const env = () => ({
    PATH: process.env.PATH ?? '',
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
    server = spawn(process.execPath, [MAIN, 'serve'], { cwd: home, env: env(), stdio: ['ignore', 'pipe', 'inherit'] })
    if (server.stdout === null) throw new Error('no output')
    const reader = createInterface(server.stdout)
    await new Promise<void>((served) => {
      reader.on('line', (line) => {
        lines.push(line)
        origin = /serves at (\S+)/.exec(line)?.[1] ?? origin
        if (origin !== '') served()
      })
    })
    await exercise()
    ready = await (await fetch(`${origin}/readyz`)).text()
    const exited = once(server, 'exit')
    server.kill('SIGTERM')
    await drainsFirst()
    await exited
  })
  after(async () => {
    // Gone already, unless something failed on the way.
    server.kill('SIGKILL')
    await receiver.close()
    await model.close()
    rmSync(home, { recursive: true, force: true })
  })

  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(origin + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  // The routes' replies are checked elsewhere; here only their texts are passed on.
  const jsonOf = async (response: Response) => (await response.json()) as Record<string, string>

  const draining: number[] = []
  /** A signal takes its time to arrive. */
  async function drainsFirst() {
    const status = async (path: string) => (await fetch(origin + path)).status
    for (let asked = 0; asked < 1000 && (await status('/readyz')) !== 503; asked++);
    for (const path of ['/readyz', '/livez', '/openapi/v1/_version']) draining.push(await status(path))
  }

  async function exercise() {
    await post('/console/api/setup', OWNER)
    const login = await post('/console/api/login', OWNER)
    const cookies = login.headers.getSetCookie().map((one) => one.split(';')[0] ?? '')
    const csrf = decodeURIComponent(cookies.find((one) => one.includes('csrf_token='))?.split('=')[1] ?? '')
    const asked = await post('/openapi/v1/oauth/device/code', { client_id: 'latchkey', device_label: 'm' })
    const { device_code = '', user_code = '' } = await jsonOf(asked)
    const headers = { cookie: cookies.join('; '), 'x-csrf-token': csrf }
    await post('/openapi/v1/oauth/device/approve', { user_code }, headers)
    const { token = '' } = await jsonOf(
      await post('/openapi/v1/oauth/device/token', { client_id: 'latchkey', device_code }),
    )
    secrets.push(token, device_code, user_code, csrf, OWNER.email, OWNER.password, QUESTION, 'said by the model')
    for (const example of ['assistant-chat.yml', 'greeting-workflow.yml']) {
      const done = spawnSync(process.execPath, [MAIN, 'app', 'import', join(ROOT, 'examples', example)], {
        cwd: home,
        env: env(),
        encoding: 'utf8',
      })
      expect(done.status, done.stderr).to.equal(0)
    }
    const authorization = `Bearer ${token}`
    const { data: [{ id: workspace }] = [{ id: '' }] } = await wide(`/openapi/v1/workspaces`, authorization)
    const { data: apps } = await wide(`/openapi/v1/apps?workspace_id=${workspace}`, authorization)
    for (const { id, mode } of apps) {
      const body = mode === 'workflow' ? { inputs: { name: QUESTION } } : { inputs: {}, query: QUESTION }
      const traceparent = `00-${STRANGERS}-b7ad6b7169203331-01`
      const run = await post(
        `/openapi/v1/apps/${id}/run`,
        { ...body, response_mode: 'blocking' },
        { authorization, traceparent },
      )
      expect(run.status, await run.text()).to.equal(200)
    }
    await fetch(`${origin}/nowhere/${user_code}`)
  }

  // biome-ignore lint/suspicious/noExplicitAny: lists of the catalogue, checked elsewhere
  async function wide(path: string, authorization: string): Promise<any> {
    const answer = await fetch(origin + path, { headers: { authorization } })
    return answer.json().then((body) => ({ ...Object(body), data: Object(body).data ?? Object(body).workspaces }))
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
    const ids = lines.flatMap((line) => /"trace_id":"(\w+)"/.exec(line)?.[1] ?? [])
    expect(ids.length).to.be.greaterThan(0)
    for (const id of ids) expect(traces.has(id)).to.equal(true)
  })

  it('L01 a server that is told to stop first says so to probes, and still answers', () => {
    expect(ready).to.equal('{"ready":true,"degraded":[]}')
    expect(draining).to.deep.equal([503, 200, 200])
  })
})
