import { expect } from 'chai'
import { type Orm, openPostgres } from '#adapters/postgres/open-orm.ts'
import { API } from '../http/place.ts'
import { dropTemplate } from '../support/databases.ts'
import { openReplicas, type Replica, type Replicas, replicaSuite, setUp } from '../support/replicas.ts'
import type { Browser, Reply } from '../support/world.ts'

const TERMINALS = 8
const FLOWS_EACH = 12
/** The lease of an approve that died with its replica, and a little for a slow machine. */
const GIVE_UP_MS = 14_000

type Step = 'code' | 'approve' | 'poll'

/** Requests that a kill cut off are done again at the other replica, as a balancer's clients do. */
replicaSuite('a replica that is killed', function () {
  this.timeout(60_000)
  let replicas: Replicas
  let orm: Orm
  let steady: Replica
  let victim: Replica
  let browser: Browser

  before(async () => {
    replicas = await openReplicas()
    orm = await openPostgres({ url: replicas.databaseUrl })
    ;[steady, victim] = await Promise.all([replicas.start(), replicas.start()])
    await setUp(steady)
    browser = await steady.signIn()
  })
  after(async () => {
    await orm.close()
    await replicas.close()
    await dropTemplate()
  })

  let turn = 0
  const cut: Record<Step, number> = { code: 0, approve: 0, poll: 0 }

  /** One request at either replica; null when it was cut off, so that nobody knows what it did. */
  async function ask(step: Step, json: unknown, headers: Readonly<Record<string, string>>): Promise<Reply | null> {
    turn += 1
    const replica = turn % 2 === 0 ? steady : victim
    const path = step === 'poll' ? 'token' : step
    try {
      return await replica.post(`${API}/oauth/device/${path}`, { json, headers })
    } catch (error) {
      if (!(error instanceof TypeError)) throw error // what fetch throws when the network fails
      cut[step] += 1
      return null
    }
  }

  /** A login, tried until it ends: the tokens it was given, and whether a request of it was cut off. */
  async function logIn(terminal: number, label: string): Promise<{ tokens: string[]; wasCut: boolean }> {
    const from = { 'X-Forwarded-For': `10.0.${terminal}.${turn % 250}` }
    const tokens: string[] = []
    let wasCut = false
    const again = async (step: Step, json: unknown, headers: Readonly<Record<string, string>>): Promise<Reply> => {
      for (;;) {
        const reply = await ask(step, json, headers)
        if (reply !== null) return reply
        wasCut = true
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    const { json: flow } = await again('code', { client_id: 'difyctl', device_label: label }, from)
    const deadline = Date.now() + GIVE_UP_MS
    for (;;) {
      const { status, json } = await again('approve', { user_code: flow.user_code }, browser.headers)
      if (status === 200 || json.error === 'already_resolved') break
      // The lease of an approve that was cut off, on its way to its end.
      expect(json.error).to.equal('approve_in_progress')
      expect(wasCut, 'an approve in progress that nobody makes').to.equal(true)
      if (Date.now() > deadline) throw new Error('the code is held for ever')
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    const takes = await Promise.all(
      [1, 2].map(() => again('poll', { client_id: 'difyctl', device_code: flow.device_code }, from)),
    )
    for (const { status, json } of takes) {
      if (status === 200) tokens.push(json.token)
      else expect(json.error).to.equal('expired_token')
    }
    return { tokens, wasCut }
  }

  it('L02 every flow ends in one token or none, and no device has two live rows', async () => {
    const labels = Array.from({ length: TERMINALS }, (_, terminal) => `terminal ${terminal}`)
    const ends: { label: string; tokens: string[]; wasCut: boolean }[] = []
    const work = labels.map(async (label, terminal) => {
      for (let at = 0; at < FLOWS_EACH; at++) ends.push({ label, ...(await logIn(terminal, label)) })
    })
    const killing = (async () => {
      for (const share of [0.25, 0.5, 0.75]) {
        while (ends.length < share * TERMINALS * FLOWS_EACH) await new Promise(setImmediate)
        await victim.stop('SIGKILL')
        victim = await replicas.start()
      }
    })()
    await Promise.all([...work, killing])

    expect(ends).to.have.length(TERMINALS * FLOWS_EACH)
    for (const { tokens, wasCut } of ends) {
      expect(tokens.length).to.be.at.most(1)
      if (!wasCut) expect(tokens).to.have.length(1)
    }
    expect(cut.code + cut.approve + cut.poll).to.be.above(0)
    const live = await orm.em.fork().execute<{ label: string; rows: number }[]>(
      `select device_label as label, count(*)::int as rows from oauth_access_tokens
          where revoked_at is null group by device_label order by 1`,
    )
    expect(live).to.deep.equal(labels.map((label) => ({ label, rows: 1 })))

    // Of all the tokens a device was ever given, only the one that its row answers to works, at both replicas.
    for (const label of labels) {
      const own = ends.filter((end) => end.label === label).flatMap(({ tokens }) => tokens)
      for (const replica of [steady, victim]) {
        const replies = await Promise.all(own.map((token) => replica.get(`${API}/workspaces`, { token })))
        const works = replies.map(({ status }) => status === 200)
        expect(replies.map(({ status }) => status).filter((status) => status !== 200 && status !== 401)).to.deep.equal(
          [],
        )
        expect(works.slice(0, -1), `${label}: an older token`).to.not.include(true)
      }
    }
    expect([...steady.faults, ...victim.faults]).to.deep.equal([])
  })
})
