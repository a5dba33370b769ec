import { expect } from 'chai'
import { chatFile, graphChatFile } from '../http/app-files.ts'
import { API } from '../http/place.ts'
import { type Balancer, openBalancer } from '../support/balancer.ts'
import { dropTemplate } from '../support/databases.ts'
import { openReplicas, type Replica, type Replicas, replicaSuite, setUp } from '../support/replicas.ts'
import { type Frame, framesIn } from '../support/sse.ts'
import { type Visitor, visitorOf } from '../support/visitor.ts'
import { type Browser, OWNER, type Reply } from '../support/world.ts'

const CALLERS = 6
const TERMINALS = 3
const STREAMS = 3
/** Ten seconds of the scripted model, three words at a time: longer than a replica goes on once it is told to stop. */
const QUERY = Array.from({ length: 600 }, (_, word) => `word${word}`).join(' ')
const ENDINGS = ['message_end', 'workflow_finished', 'error']

replicaSuite('replicas behind a balancer that are restarted one by one', function () {
  this.timeout(120_000)
  let replicas: Replicas
  let members: Replica[]
  let balancer: Balancer
  let visitor: Visitor
  let browser: Browser
  let token: string
  let appIds: string[]

  before(async () => {
    // Without the delay a connection that waits to be accepted is reset with the listener, and nobody can know whether
    // what it carried was heard.
    replicas = await openReplicas({ env: { MODEL_BASE_URL: 'scripted:?latency_ms=50', SHUTDOWN_DELAY_S: '3' } })
    members = await Promise.all([replicas.start(), replicas.start(), replicas.start()])
    balancer = await openBalancer()
    balancer.lead(members.map(({ url }) => url))
    await balancer.well(members.length)
    visitor = visitorOf(balancer.url, OWNER)
    const [first] = members
    if (first === undefined) throw new Error('no replicas')
    await setUp(first)
    browser = await visitor.signIn()
    token = (await visitor.login({ browser })).token
    appIds = []
    for (const source of [chatFile(), graphChatFile()]) appIds.push(await visitor.importApp(browser, source))
  })
  after(async () => {
    await balancer.close()
    await replicas.close()
    await dropTemplate()
  })

  it('L01 lose no request, and every stream ends or is joined again at another', async () => {
    let isOver = false
    const failed: string[] = []
    let answered = 0
    const hold = ({ status, text }: Reply, what: string) => {
      answered += 1
      if (status !== 200) failed.push(`${what} ${status} ${text.slice(0, 200)}`)
    }
    const until = async (work: () => Promise<unknown>) => {
      while (!isOver) await work().catch((error: Error) => failed.push(`${error.message} ${String(error.cause ?? '')}`))
    }
    const call = async () => hold(await visitor.get(`${API}/workspaces`, { token }), 'workspaces')
    let logins = 0
    const logIn = (terminal: number) => async () => {
      logins += 1
      // An address may ask for sixty codes an hour.
      const headers = { 'X-Forwarded-For': `10.0.${logins % 250}.${terminal}` }
      const device = (step: string, json: object, how: object = { headers }) =>
        visitor.post(`${API}/oauth/device/${step}`, { json, ...how })
      const started = await device('code', { client_id: 'difyctl', device_label: `terminal ${terminal}` })
      hold(started, 'code')
      const { user_code, device_code } = started.json
      hold(await device('approve', { user_code }, { headers: browser.headers }), 'approve')
      const picked = await device('token', { client_id: 'difyctl', device_code })
      hold(picked, 'poll')
      hold(await visitor.get(`${API}/workspaces`, { token: picked.json.token }), 'workspaces of a new login')
    }
    const joined: Frame[] = []
    const stream = (appId: string) => async () => {
      const json = { inputs: {}, query: QUERY, response_mode: 'streaming' }
      const reply = await visitor.post(`${API}/apps/${appId}/run`, { token, json })
      hold(reply, 'run')
      const frames = framesIn(reply.text).filter(({ event }) => event !== 'ping')
      const last = frames.at(-1)
      if (!ENDINGS.includes(last?.event)) failed.push(`a stream ended with ${JSON.stringify(last)}`)
      if (last?.event !== 'error') return
      // Its replica was told to stop; what it came to is known to all.
      if (last.status !== 503) failed.push(`a stream broke: ${JSON.stringify(last)}`)
      const again = await visitor.get(`${API}/apps/${appId}/tasks/${frames[0]?.task_id}/events`, { token })
      hold(again, 'join')
      joined.push(framesIn(again.text).at(-1))
    }
    const load = Promise.all([
      ...Array.from({ length: CALLERS }, () => until(call)),
      ...Array.from({ length: TERMINALS }, (_, at) => until(logIn(at))),
      ...Array.from({ length: STREAMS }, (_, at) => until(stream(appIds[at % appIds.length] ?? ''))),
    ])
    for (const [at, old] of members.entries()) {
      const next = await replicas.start()
      balancer.lead([...members, next].map(({ url }) => url))
      await balancer.well(members.length + 1)
      const { code } = await old.stop('SIGTERM')
      expect(code).to.equal(0)
      members[at] = next
      balancer.lead(members.map(({ url }) => url))
      await balancer.well(members.length)
      expect(old.faults).to.deep.equal([])
    }
    isOver = true
    await load
    expect(failed.slice(0, 10).join('\n')).to.equal('')
    expect(answered).to.be.above(500)
    expect(joined.length, 'streams under way when their replica was told to stop').to.be.above(0)
    for (const last of joined) expect(ENDINGS).to.include(last?.event)
  })
})
