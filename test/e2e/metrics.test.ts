import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'

const ROOT = join(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'src/main.ts')
const OWNER = { email: 'owner@example.test', name: 'Owner', password: 'correct horse 9' }

describe('metrics of a real server', function () {
  this.timeout(30_000)
  let home: string
  let server: ChildProcess
  let origin = ''
  let metricsUrl = ''
  let csrf = ''
  let browser: Record<string, string> = {}

  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'latchkey-metrics-'))
    server = spawn(process.execPath, [MAIN, 'serve'], {
      cwd: home,
      env: {
        PATH: process.env.PATH ?? '',
        PORT: '0',
        DATA_DIR: join(home, 'data'),
        METRICS_PORT: '0',
        MODEL_BASE_URL: 'scripted:',
        OPENAPI_RATE_LIMIT_PER_TOKEN: '3',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    if (server.stdout === null) throw new Error('no output')
    for await (const line of createInterface(server.stdout)) {
      origin = /serves at (\S+)/.exec(line)?.[1] ?? origin
      metricsUrl = /"url":"([^"]+\/metrics)"/.exec(line)?.[1] ?? metricsUrl
      if (origin !== '' && metricsUrl !== '') break
    }
    expect((await post('/console/api/setup', OWNER)).status).to.equal(201)
    const login = await post('/console/api/login', OWNER)
    const cookies = login.headers.getSetCookie().map((one) => one.split(';')[0] ?? '')
    csrf = cookies.find((one) => one.includes('csrf_token='))?.split('=')[1] ?? ''
    browser = { cookie: cookies.join('; '), 'x-csrf-token': decodeURIComponent(csrf) }
  })
  after(async () => {
    const exited = once(server, 'exit')
    server.kill('SIGTERM')
    await exited
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
  const scrape = async () => (await fetch(metricsUrl)).text()
  const count = (text: string, series: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1],
    )

  async function signIn(device_label: string) {
    const asked = await post('/openapi/v1/oauth/device/code', { client_id: 'latchkey', device_label })
    const { device_code = '', user_code = '' } = await jsonOf(asked)
    const approved = await post('/openapi/v1/oauth/device/approve', { user_code }, browser)
    expect(approved.status, await approved.text()).to.equal(200)
    const polled = await post('/openapi/v1/oauth/device/token', { client_id: 'latchkey', device_code })
    const { token = '' } = await jsonOf(polled)
    return { token, device_code, user_code }
  }

  it('L06 counts requests by route, limits and the token cache, and no secret is a label', async () => {
    const { token, device_code, user_code } = await signIn('m')
    const bearer = { headers: { authorization: `Bearer ${token}` } }
    const statuses = []
    for (let call = 0; call < 4; call++) statuses.push((await fetch(`${origin}/openapi/v1/workspaces`, bearer)).status)
    expect(statuses).to.deep.equal([200, 200, 200, 429])
    await fetch(`${origin}/openapi/v1/workspaces/${user_code}`, bearer)
    await fetch(`${origin}/${device_code}`)

    const text = await scrape()
    const requests = (route: string, status: number, method = 'GET') =>
      count(text, `latchkey_http_requests_total{method="${method}",route="${route}",status="${status}"}`)
    expect(requests('/openapi/v1/workspaces', 200)).to.equal(3)
    expect(requests('/openapi/v1/workspaces', 429)).to.equal(1)
    expect(requests('/openapi/v1/workspaces/:id', 429)).to.equal(1)
    expect(requests('/openapi/v1/oauth/device/token', 200, 'POST')).to.equal(1)
    expect(requests('unmatched', 404)).to.equal(1)
    expect(
      count(text, 'latchkey_http_request_duration_seconds_count{method="GET",route="/openapi/v1/workspaces"}'),
    ).to.equal(4)
    expect(count(text, 'latchkey_rate_limit_decisions_total{limit="bearer",outcome="admitted"}')).to.equal(3)
    expect(count(text, 'latchkey_rate_limit_decisions_total{limit="bearer",outcome="refused"}')).to.equal(2)
    expect(count(text, 'latchkey_token_cache_reads_total{result="miss"}')).to.equal(1)
    expect(count(text, 'latchkey_token_cache_reads_total{result="hit"}')).to.be.at.least(2)
    expect(text).to.contain('nodejs_eventloop_lag_seconds')
    for (const secret of [token, device_code, user_code, csrf, OWNER.email]) {
      expect(secret).to.not.equal('')
      expect(text).to.not.contain(secret)
    }
    expect(text).to.not.match(/[0-9a-f]{64}|dfoa_|dfoe_|dc_/)
  })

  it('L06 counts runs by how they ended, their nodes, and calls of models', async () => {
    const addApp = async (example: string) => {
      const yaml_content = readFileSync(join(ROOT, 'examples', example), 'utf8')
      const imported = await post('/console/api/apps/imports', { mode: 'yaml-content', yaml_content }, browser)
      return (await jsonOf(imported)).app_id ?? ''
    }
    const { token } = await signIn('runs')
    const run = async (appId: string, body: object) => {
      const reply = await post(`/openapi/v1/apps/${appId}/run`, body, { authorization: `Bearer ${token}` })
      expect(reply.status, await reply.text()).to.equal(200)
    }
    await run(await addApp('assistant-chat.yml'), { inputs: {}, query: 'hello' })
    await run(await addApp('greeting-workflow.yml'), { inputs: { name: 'Ada' } })
    const text = await scrape()
    expect(count(text, 'latchkey_runs_total{mode="chat",ending="succeeded"}')).to.equal(1)
    expect(count(text, 'latchkey_runs_total{mode="workflow",ending="succeeded"}')).to.equal(1)
    for (const mode of ['chat', 'workflow']) {
      expect(count(text, `latchkey_run_duration_seconds_count{mode="${mode}"}`)).to.equal(1)
      expect(count(text, `latchkey_runs_underway{mode="${mode}"}`)).to.equal(0)
    }
    expect(count(text, 'latchkey_nodes_total{type="start",status="succeeded"}')).to.equal(1)
    expect(count(text, 'latchkey_model_calls_total{source="configured",outcome="answered"}')).to.equal(1)
  })

  // A label that a caller chooses is memory that a caller takes, here and at the scraper.
  it('L06 hostile methods and paths add no series', async () => {
    const seriesOf = (text: string) =>
      text.split('\n').filter((line) => line.startsWith('latchkey_http_requests')).length
    await fetch(`${origin}/warm`, { method: 'PURGE' })
    const before = seriesOf(await scrape())
    for (const method of ['LINK', 'MKCOL', 'SEARCH', 'PURGE']) {
      for (let at = 0; at < 20; at++) await fetch(`${origin}/p${at}/%22%7D%0A`, { method })
    }
    expect(seriesOf(await scrape())).to.be.at.most(before + 1)
  })

  it('L06 are served on their own port only, and nothing else is there', async () => {
    expect((await fetch(`${origin}/metrics`)).status).to.equal(404)
    expect((await fetch(new URL('/openapi/v1/_health', metricsUrl))).status).to.equal(404)
    expect((await fetch(metricsUrl, { method: 'POST' })).status).to.equal(405)
  })
})
