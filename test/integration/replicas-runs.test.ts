import { expect } from 'chai'
import { type Orm, openPostgres } from '#adapters/postgres/open-orm.ts'
import { askingFile, chatFile, formFile } from '../http/app-files.ts'
import { API } from '../http/place.ts'
import { dropTemplate } from '../support/databases.ts'
import { openReplicas, type Replica, type Replicas, replicaSuite, setUp } from '../support/replicas.ts'
import { nextFrame, readFrames, restOf } from '../support/sse.ts'
import type { Browser } from '../support/world.ts'

/** Ten seconds of the scripted model. */
const LONG = Array.from({ length: 300 }, (_, word) => `word${word}`).join(' ')
const LIMIT = 4

replicaSuite('runs over replicas', function () {
  this.timeout(60_000)
  let replicas: Replicas
  let orm: Orm
  let here: Replica
  let there: Replica
  let browser: Browser
  let token: string

  before(async () => {
    const env = { MODEL_BASE_URL: 'scripted:?latency_ms=100', RUNS_PER_WORKSPACE: String(LIMIT) }
    replicas = await openReplicas({ env })
    orm = await openPostgres({ url: replicas.databaseUrl })
    ;[here, there] = await Promise.all([replicas.start(), replicas.start()])
    await setUp(here)
    browser = await here.signIn()
    token = (await here.login({ browser })).token
  })
  after(async () => {
    await orm.close()
    await replicas.close()
    await dropTemplate()
  })

  const addApp = (source: string) => here.importApp(browser, source)

  const send = (replica: Replica, path: string, init: RequestInit = {}) =>
    fetch(`${replica.url}${API}/apps/${path}`, {
      ...init,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    })
  const run = (replica: Replica, appId: string, json: object, signal?: AbortSignal) =>
    send(replica, `${appId}/run`, {
      method: 'POST',
      body: JSON.stringify({ inputs: {}, response_mode: 'streaming', ...json }),
      ...(signal === undefined ? {} : { signal }),
    })
  const follow = (replica: Replica, appId: string, id: string, query = '?include_state_snapshot=true') =>
    send(replica, `${appId}/tasks/${id}/events${query}`)
  const stop = (replica: Replica, appId: string, task: string) =>
    send(replica, `${appId}/tasks/${task}/stop`, { method: 'POST' })

  it('H16 a stop at another replica ends the stream within a second', async () => {
    const appId = await addApp(chatFile())
    const frames = readFrames(await run(here, appId, { query: LONG }))
    const { task_id: task } = await nextFrame(frames)
    const ended = restOf(frames)
    const askedAtMs = performance.now()
    expect((await stop(there, appId, task)).status).to.equal(200)
    expect((await ended).at(-1)?.event).to.equal('message_end')
    expect(performance.now() - askedAtMs).to.be.below(1000)
    const [row] = await orm.em.fork().execute('select status from workflow_runs where task_id = ?', [task])
    expect(row).to.deep.equal({ status: 'stopped' })
  })

  it('N04 whoever joins at another replica is told all that the starter is', async () => {
    const appId = await addApp(chatFile())
    const starter = readFrames(await run(here, appId, { query: LONG.slice(0, 100) }))
    const first = await nextFrame(starter)
    const [own, joined] = await Promise.all([
      restOf(starter),
      follow(there, appId, first.task_id).then((reply) => restOf(readFrames(reply))),
    ])
    expect(joined).to.deep.equal([first, ...own])
    expect(joined.at(-1)?.event).to.equal('message_end')
  })

  it('N04 a workflow whose starter hung up is followed to its end at another replica', async () => {
    const appId = await addApp(formFile('asks'))
    const gone = new AbortController()
    const starter = readFrames(
      await run(here, appId, { inputs: { name: 'a b c d e f g h i j k l m n o' } }, gone.signal),
    )
    const { workflow_run_id: runId } = await nextFrame(starter)
    gone.abort()
    await starter.next().catch(() => null)
    const joined = await restOf(readFrames(await follow(there, appId, runId)))
    expect(joined[0]?.event).to.equal('workflow_started')
    expect(joined.at(-1)?.data).to.deep.include({ status: 'succeeded' })
  })

  it('of six runs at once at two replicas a workspace has its four, and another when they have ended', async () => {
    const appId = await addApp(chatFile())
    const replies = await Promise.all(
      [here, there, here, there, here, there].map((replica) => run(replica, appId, { query: LONG })),
    )
    const [admitted, refused] = [200, 429].map((status) => replies.filter((reply) => reply.status === status))
    expect([admitted?.length, refused?.length]).to.deep.equal([LIMIT, 2])
    for (const reply of refused ?? []) {
      expect(reply.headers.get('retry-after')).to.equal('5')
      expect(await reply.json()).to.deep.include({ code: 'rate_limit_error' })
    }
    const streams = (admitted ?? []).map(readFrames)
    const first = await Promise.all(streams.map(nextFrame))
    await Promise.all(first.map(({ task_id: task }) => stop(there, appId, task)))
    await Promise.all(streams.map(restOf))
    const one = readFrames(await run(there, appId, { query: 'short' }))
    expect((await restOf(one)).at(-1)?.event).to.equal('message_end')
  })

  it('N05 a run goes on at another replica when its own was killed while it waited, and of two answers one is taken', async () => {
    const appId = await addApp(askingFile)
    const victim = await replicas.start()
    const frames = await restOf(readFrames(await run(victim, appId, { inputs: { who: 'Ann' } })))
    const asked = frames.find(({ event }) => event === 'human_input_required')
    expect(frames.at(-1)?.event).to.equal('workflow_paused')
    // What is told is in Redis a moment later; the kill would race with it.
    const told = await restOf(readFrames(await follow(there, appId, asked.workflow_run_id)))
    expect(told).to.deep.equal(frames)
    await victim.stop('SIGKILL')
    const successor = await replicas.start()
    const query = '?include_state_snapshot=true&continue_on_pause=true'
    const follower = readFrames(await follow(there, appId, asked.workflow_run_id, query))
    for (const frame of frames) expect(await nextFrame(follower)).to.deep.equal(frame)

    const answers = await Promise.all(
      [here, successor].map((replica) =>
        send(replica, `${appId}/form/human_input/${asked.data.form_token}`, {
          method: 'POST',
          body: JSON.stringify({ action: 'yes', inputs: { why: 'I know her' } }),
        }),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 404])
    const more = await restOf(follower)
    expect(more[0]?.event).to.equal('workflow_started')
    expect(more.at(-1)?.data).to.deep.include({ status: 'succeeded', outputs: { why: 'I know her' } })
    await successor.stop()
  })

  it('a run whose replica was killed is ended by another, and whoever follows it is told', async () => {
    const appId = await addApp(chatFile())
    const victim = await replicas.start()
    const { task_id: task } = await nextFrame(readFrames(await run(victim, appId, { query: LONG })))
    const followed = restOf(readFrames(await follow(there, appId, task)))
    const lost = follow(here, appId, task)
    await victim.stop('SIGKILL')
    // As after a minute of silence.
    await orm.em
      .fork()
      .execute(`update workflow_runs set heard_at = now() - interval '61 seconds' where task_id = ?`, [task])
    expect((await followed).at(-1)?.event).to.equal('message_end')
    await (await lost).body?.cancel()
    const [row] = await orm.em.fork().execute('select status from workflow_runs where task_id = ?', [task])
    expect(row).to.deep.equal({ status: 'stopped' })
  })
})
