import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { type Orm, openPostgres } from '#adapters/postgres/open-orm.ts'
import { chatFile, graphChatFile } from '../http/app-files.ts'
import { API } from '../http/place.ts'
import { dropTemplate } from '../support/databases.ts'
import { openReplicas, type Replica, type Replicas, replicaSuite, setUp } from '../support/replicas.ts'
import type { Browser } from '../support/world.ts'

const CLIENTS = 24
const GRACE_S = 10
const LONG = Array.from({ length: 300 }, (_, word) => `word${word}`).join(' ')

/** What a keep-alive client met until it was told that nobody listens any more. */
type Tally = { answers: Record<number, number>; lost: string[] }

replicaSuite('a replica that is told to stop', function () {
  this.timeout(60_000)
  let replicas: Replicas
  let orm: Orm
  let replica: Replica
  let browser: Browser
  let token: string

  before(async () => {
    const env = { MODEL_BASE_URL: 'scripted:?latency_ms=100', SHUTDOWN_GRACE_S: String(GRACE_S) }
    replicas = await openReplicas({ env })
    orm = await openPostgres({ url: replicas.databaseUrl })
  })
  beforeEach(async () => {
    const isFirst = replica === undefined
    replica = await replicas.start()
    if (isFirst) {
      await setUp(replica)
      browser = await replica.signIn()
      token = (await replica.login({ browser })).token
    }
  })
  after(async () => {
    await orm.close()
    await replicas.close()
    await dropTemplate()
  })

  const addApp = (source: string) => replica.importApp(browser, source)

  const run = (appId: string) =>
    fetch(`${replica.url}${API}/apps/${appId}/run`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ inputs: {}, query: LONG, response_mode: 'streaming' }),
    })

  const get = (agent: Agent, path: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      request(replica.url + path, { agent, headers: { Authorization: `Bearer ${token}` } }, resolve)
        .on('error', reject)
        .end()
    })

  /** Asks again and again over one kept connection, as a proxy in front of replicas does. */
  async function press(tally: Tally): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    try {
      for (;;) {
        const answer = await get(agent, `${API}/workspaces`)
        await text(answer)
        const { statusCode = 0 } = answer
        tally.answers[statusCode] = (tally.answers[statusCode] ?? 0) + 1
      }
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
      // Nobody took that request, so the client may go elsewhere. After any other end it cannot know.
      if (code !== 'ECONNREFUSED') tally.lost.push(code)
    } finally {
      agent.destroy()
    }
  }

  it('L01 loses no request of busy connections, answers what is under way, and is gone within the grace time', async () => {
    const tally: Tally = { answers: {}, lost: [] }
    const pressing = Array.from({ length: CLIENTS }, () => press(tally))
    // Hashing a password takes long enough to be still under way when the signal comes.
    const slow = Promise.all([replica.signIn(), replica.signIn()])
    while ((tally.answers[200] ?? 0) < 20 * CLIENTS) await new Promise(setImmediate)
    const toldAtMs = Date.now()
    const ended = replica.stop('SIGTERM')
    await Promise.all(pressing)
    expect(tally.lost).to.deep.equal([])
    expect(Object.keys(tally.answers)).to.deep.equal(['200'])
    await slow
    const { code, signal, tookMs } = await ended
    expect({ code, signal }).to.deep.equal({ code: 0, signal: null })
    expect(tookMs).to.be.below(GRACE_S * 1000)
    // A use is written a minute later otherwise: this one came with the stop.
    const [used] = await orm.em
      .fork()
      .execute<{ at: string }[]>(`select extract(epoch from max(last_used_at)) * 1000 as at from oauth_access_tokens`)
    expect(Number(used?.at)).to.be.at.least(toldAtMs)
    expect(replica.faults).to.deep.equal([])
  })

  // A client that sends on a connection just as the server closes it cannot know whether it was heard.
  it('L01 a connection that never asked anything, as browsers open in advance, holds no stop', async () => {
    const { hostname, port } = new URL(replica.url)
    const socket = connect(Number(port), hostname)
    const closed = once(socket, 'close')
    await once(socket, 'connect')
    // Accepted: connections are taken in turn.
    expect((await fetch(`${replica.url}${API}/_version`)).status).to.equal(200)
    const { code, tookMs } = await replica.stop('SIGTERM')
    expect(code).to.equal(0)
    expect(tookMs).to.be.below((GRACE_S * 1000) / 2)
    await closed
  })

  it('L01 a connection that rests is still heard for a moment, then closed', async () => {
    const agents = Array.from({ length: CLIENTS }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
    for (const agent of agents) await text(await get(agent, `${API}/_health`))
    const ended = replica.stop('SIGTERM')
    await refusesConnections(replica)
    const [first, ...others] = agents
    for (const agent of others) {
      const answer = await get(agent, `${API}/_health`)
      expect(await text(answer)).to.equal('{"ok":true}')
      expect(answer.headers.connection).to.equal('close')
    }
    const { code, tookMs } = await ended
    expect(code).to.equal(0)
    expect(tookMs).to.be.below(3000)
    first?.destroy()
  })

  for (const [kind, source] of Object.entries({ chat: chatFile(), graph: graphChatFile() })) {
    it(`L01 a stream of a ${kind} ends with its terminal event, and the run is recorded as stopped`, async () => {
      const appId = await addApp(source)
      const streams = await Promise.all([run(appId), run(appId)])
      const ended = replica.stop('SIGTERM')
      for (const stream of streams) {
        expect(stream.status).to.equal(200)
        const events = (await stream.text())
          .split('\n\n')
          .filter((frame) => frame.startsWith('data: '))
          .map((frame) => JSON.parse(frame.slice(6)))
        expect(events.at(-1)).to.include({ event: 'error', status: 503, code: 'service_unavailable' })
      }
      expect((await ended).code).to.equal(0)
      const runs = await orm.em
        .fork()
        .execute<{ status: string }[]>('select status from workflow_runs where app_id = ?', [appId])
      expect(runs.map(({ status }) => status)).to.deep.equal(['stopped', 'stopped'])
      expect(replica.faults).to.deep.equal([])
    })
  }
})

async function refusesConnections({ url }: Replica): Promise<void> {
  const isRefused = () =>
    fetch(`${url}${API}/_health`, { headers: { Connection: 'close' } }).then(
      () => false,
      (error: Error) => error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'ECONNREFUSED',
    )
  while (!(await isRefused())) await new Promise(setImmediate)
}
