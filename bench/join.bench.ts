import { deployment, importApp, OWNER, setUpOwner, startLatchkey } from './support/latchkey.ts'
import { quantile, rounded } from './support/numbers.ts'
import type { ServerProcess } from './support/server-process.ts'
import { createTemporaryDatabase } from './support/temporary-database.ts'
import { writeResults } from './support/write-results.ts'

const JOINS = 60
const WARM_UP_JOINS = 10
const QUERY = Array.from({ length: 60 }, (_, word) => `word${word}`).join(' ')

/** At the slowest tenth. */
const GOAL_MS = 20

type Told = { readonly atMs: number; readonly id: string; readonly text: string }

/**
 * Two replicas on PostgreSQL and Redis. A chat runs at one; a reader joins at the other. Told are how long the first
 * text takes from the request to join, what an ordinary call costs there, and how much later each text comes than to
 * whoever started the run.
 */
async function main(): Promise<void> {
  const database = await createTemporaryDatabase()
  const { settings, close } = await deployment(database.url)
  const env = { ...settings, MODEL_BASE_URL: 'scripted:?latency_ms=20', OPENAPI_RATE_LIMIT_PER_TOKEN: '0' }
  const servers: ServerProcess[] = []
  try {
    for (let at = 0; at < 2; at++) servers.push(await startLatchkey(env))
    const [here, there] = servers
    if (here === undefined || there === undefined) throw new Error('two servers')
    await setUpOwner(here)
    const [token = ''] = await database.seedTokens(OWNER.email, 1)
    const app = importApp(env, 'assistant-chat.yml')
    const [joins, calls, lags]: [number[], number[], number[]] = [[], [], []]
    for (let at = 0; at < WARM_UP_JOINS + JOINS; at++) {
      const one = await join(here, there, app, token)
      if (at < WARM_UP_JOINS) continue
      joins.push(one.joinMs)
      calls.push(one.callMs)
      lags.push(...one.lagsMs)
    }
    const results = {
      first_text_after_joining_ms: summaryOf(joins),
      ordinary_call_ms: summaryOf(calls),
      text_later_than_at_its_own_replica_ms: summaryOf(lags),
      // What joining costs beyond asking anything at all.
      added_ms: summaryOf(joins.map((ms, at) => ms - (calls[at] ?? Number.NaN))),
      goal_ms: GOAL_MS,
    }
    const met = results.added_ms.p90 <= GOAL_MS
    writeResults('join', { ...results, met })
    if (!met) process.exitCode = 1
  } finally {
    for (const server of servers) await server.stop()
    await close()
    await database.drop()
  }
}

function summaryOf(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: rounded(quantile(sorted, 0.5), 2), p90: rounded(quantile(sorted, 0.9), 2) }
}

async function join(here: ServerProcess, there: ServerProcess, app: string, token: string) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ inputs: {}, query: QUERY, response_mode: 'streaming' })
  const started = await fetch(`${here.origin}/openapi/v1/apps/${app}/run`, { method: 'POST', headers, body })
  const own = told(started)
  const first = await own.next()
  if (first.done === true) throw new Error(`run answered ${started.status}`)
  const rest = collect(own)

  const calledAtMs = performance.now()
  await (await fetch(`${there.origin}/openapi/v1/apps/${app}/describe`, { headers })).arrayBuffer()
  const callMs = performance.now() - calledAtMs

  const path = `/openapi/v1/apps/${app}/tasks/${first.value.id}/events?include_state_snapshot=true`
  const askedAtMs = performance.now()
  const joined = await collect(told(await fetch(there.origin + path, { headers })))
  const mine = [first.value, ...(await rest)]
  if (joined.map(({ text }) => text).join('') !== mine.map(({ text }) => text).join(''))
    throw new Error('told otherwise')
  const joinMs = (joined[0]?.atMs ?? Number.NaN) - askedAtMs
  // What was told before it joined comes at once, and says nothing of the way.
  const lagsMs = joined.map(({ atMs }, at) => atMs - (mine[at]?.atMs ?? 0)).slice(-5)
  return { joinMs, callMs, lagsMs }
}

async function collect(all: AsyncIterable<Told>): Promise<Told[]> {
  const seen: Told[] = []
  for await (const one of all) seen.push(one)
  return seen
}

/** The texts of a chat, and when each came. */
async function* told(response: Response): AsyncGenerator<Told> {
  if (response.status !== 200 || response.body === null) throw new Error(`${response.status}: ${await response.text()}`)
  let rest = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const atMs = performance.now()
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks.filter((one) => one.startsWith('data: '))) {
      const { event, task_id: id, answer: text } = JSON.parse(block.slice('data: '.length))
      if (event === 'message') yield { atMs, id, text }
    }
  }
}

await main()
