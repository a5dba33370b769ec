import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CHILD_ENV } from '../support/child-env.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { type Browser, OWNER } from '../support/world.ts'

const EXAMPLES = join(import.meta.dirname, '../../examples')

describe('metrics of a real server', function () {
  this.timeout(30_000)
  let home: string
  let server: ServerProcess
  let browser: Browser
  let metricsUrl: string

  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'latchkey-metrics-'))
    server = await startServer(home, {
      ...CHILD_ENV,
      PORT: '0',
      DATA_DIR: join(home, 'data'),
      METRICS_PORT: '0',
      MODEL_BASE_URL: 'scripted:',
      OPENAPI_RATE_LIMIT_PER_TOKEN: '3',
    })
    await server.logged('metrics')
    metricsUrl = server.metricsUrl() ?? ''
    expect((await server.post('/console/api/setup', { json: OWNER })).status).to.equal(201)
    browser = await server.signIn()
  })
  after(async () => {
    await server.stop()
    rmSync(home, { recursive: true, force: true })
  })

  const scrape = async () => (await fetch(metricsUrl)).text()
  const count = (text: string, series: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1],
    )

  const login = (label: string) => server.login({ label, clientId: 'latchkey', browser })

  it('L06 counts requests by route, limits and the token cache, and no secret is a label', async () => {
    const { token, deviceCode, userCode } = await login('m')
    const bearer = { headers: { authorization: `Bearer ${token}` } }
    const statuses = []
    for (let call = 0; call < 4; call++)
      statuses.push((await fetch(`${server.url}/openapi/v1/workspaces`, bearer)).status)
    expect(statuses).to.deep.equal([200, 200, 200, 429])
    await fetch(`${server.url}/openapi/v1/workspaces/${userCode}`, bearer)
    await fetch(`${server.url}/${deviceCode}`)

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
    for (const secret of [token, deviceCode, userCode, browser.csrf, OWNER.email]) {
      expect(secret).to.not.equal('')
      expect(text).to.not.contain(secret)
    }
    expect(text).to.not.match(/[0-9a-f]{64}|dfoa_|dfoe_|dc_/)
  })

  it('L06 counts runs by how they ended, their nodes, and calls of models', async () => {
    const addApp = (example: string) => server.importApp(browser, readFileSync(join(EXAMPLES, example), 'utf8'))
    const { token } = await login('runs')
    const run = async (appId: string, json: object) => {
      const reply = await server.post(`/openapi/v1/apps/${appId}/run`, { token, json })
      expect(reply.status, reply.text).to.equal(200)
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
    await fetch(`${server.url}/warm`, { method: 'PURGE' })
    const before = seriesOf(await scrape())
    for (const method of ['LINK', 'MKCOL', 'SEARCH', 'PURGE']) {
      for (let at = 0; at < 20; at++) await fetch(`${server.url}/p${at}/%22%7D%0A`, { method })
    }
    expect(seriesOf(await scrape())).to.be.at.most(before + 1)
  })

  it('L06 are served on their own port only, and nothing else is there', async () => {
    expect((await fetch(`${server.url}/metrics`)).status).to.equal(404)
    expect((await fetch(new URL('/openapi/v1/_health', metricsUrl))).status).to.equal(404)
    expect((await fetch(metricsUrl, { method: 'POST' })).status).to.equal(405)
  })
})
