import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freePort } from './support/free-port.ts'
import { deployment, importApp, OWNER, setUpOwner, startLatchkey } from './support/latchkey.ts'
import { spreadOf } from './support/numbers.ts'
import { type ServerProcess, startServer } from './support/server-process.ts'
import { createTemporaryDatabase } from './support/temporary-database.ts'

/**
 * The same streams from one Dify, through a Latchkey that an app is bound at and through a proxy that reads nothing, in
 * turns: at the pace of models, which is what people wait for, and as fast as both can.
 */
const GOAL = 0.9
const KEY = 'app-bench'
const script = (name: string) => fileURLToPath(new URL(`./support/${name}`, import.meta.url))
const MAIN = fileURLToPath(import.meta.resolve('#src/main.ts'))

type Way = { readonly url: string; readonly headers: Record<string, string>; readonly body: (inputs: object) => object }
type Pace = {
  readonly name: string
  readonly streams: number
  readonly events: number
  readonly everyMs: number
  readonly rounds: number
}

const PACES: readonly Pace[] = [
  { name: 'fifty streams, an event each 20 ms', streams: 50, events: 100, everyMs: 20, rounds: 5 },
  // A tenth of a second each, of which any hiccup of the machine is much.
  { name: 'one stream, as fast as it goes', streams: 1, events: 20_000, everyMs: 0, rounds: 41 },
]

async function main(): Promise<void> {
  const database = await createTemporaryDatabase()
  const { settings, close } = await deployment(database.url)
  const env = { ...settings, OPENAPI_RATE_LIMIT_PER_TOKEN: '0', EGRESS_ALLOW_CIDRS: '127.0.0.0/8' }
  const servers: ServerProcess[] = []
  const start = async (starting: Promise<ServerProcess>) => {
    const server = await starting
    servers.push(server)
    return server
  }
  try {
    const upstream = await start(startServer([script('upstream-server.ts')], await freePort(), '/v1/info', {}))
    const proxy = await start(
      startServer([script('raw-proxy.ts')], await freePort(), '/', { UPSTREAM: upstream.origin }),
    )
    const latchkey = await start(startLatchkey(env))
    await setUpOwner(latchkey)
    const [token = ''] = await database.seedTokens(OWNER.email, 1)
    const app = importApp(env, 'assistant-chat.yml')
    const words = ['app', 'bind-upstream', app, '--url', `${upstream.origin}/v1`, '--key', KEY, '--as', OWNER.email]
    execFileSync(process.execPath, [MAIN, ...words], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    })
    const json = { 'Content-Type': 'application/json' }
    await compare(
      {
        url: `${latchkey.origin}/openapi/v1/apps/${app}/run`,
        headers: { ...json, Authorization: `Bearer ${token}` },
        body: (inputs) => ({ inputs, query: 'go', response_mode: 'streaming' }),
      },
      { url: proxy.origin, headers: json, body: (inputs) => ({ inputs }) },
    )
  } finally {
    for (const server of servers) await server.stop()
    await close()
    await database.drop()
  }
}

async function compare(latchkey: Way, proxy: Way): Promise<void> {
  const results: Record<string, object> = {}
  for (const pace of PACES) {
    const ratios: number[] = []
    const rates: [ours: number, raw: number][] = []
    for (let round = 0; round <= pace.rounds; round++) {
      const [ours, raw] = [await eventsPerS(latchkey, pace), await eventsPerS(proxy, pace)]
      if (round === 0) continue
      ratios.push(ours / raw)
      rates.push([ours, raw])
    }
    const spread = spreadOf(ratios)
    const [ours, raw] = [0, 1].map((side) => spreadOf(rates.map((pair) => pair[side] ?? 0)).median)
    results[pace.name] = { ratio: spread, events_per_s: { latchkey: ours, raw_proxy: raw } }
    if (spread.median < GOAL) process.exitCode = 1
    const range = `${spread.min.toFixed(2)}…${spread.max.toFixed(2)}`
    console.log(
      `${pace.name}: ${spread.median.toFixed(2)} (${range}) of a raw proxy, ${Math.round(ours ?? 0)} events a second`,
    )
  }
  writeFileSync(new URL('results-upstream.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
}

/** From the first request to the last end, all streams together. */
async function eventsPerS(way: Way, { streams, events, everyMs }: Pace): Promise<number> {
  const startedAtMs = performance.now()
  const counts = await Promise.all(Array.from({ length: streams }, () => count(way, { events, everyMs })))
  const seconds = (performance.now() - startedAtMs) / 1000
  const seen = counts.reduce((sum, one) => sum + one, 0)
  if (seen !== streams * events) throw new Error(`${way.url}: ${seen} events instead of ${streams * events}`)
  return seen / seconds
}

async function count({ url, headers, body }: Way, inputs: object): Promise<number> {
  const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body(inputs)) })
  if (reply.status !== 200) throw new Error(`${url} answered ${reply.status}: ${await reply.text()}`)
  let seen = 0
  let tail = ''
  for await (const piece of reply.body ?? []) {
    const text = tail + Buffer.from(piece).toString('latin1')
    seen += text.split('"event":"message"').length - 1
    tail = text.slice(-16).includes('"event":"message"') ? '' : text.slice(-16)
  }
  return seen
}

await main()
