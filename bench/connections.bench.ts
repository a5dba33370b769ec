import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { closeAll, closeLater } from './support/close-later.ts'
import { moveToLoadCore } from './support/cores.ts'
import { deployment, importApp, OWNER, setUpOwner, startLatchkey } from './support/latchkey.ts'
import { latchkeyDevice } from './support/latchkey-device.ts'
import { quantile, rounded } from './support/numbers.ts'
import { offer, openPool } from './support/open-loop.ts'
import type { ServerProcess } from './support/server-process.ts'
import { addressSource, inTurn, send } from './support/shots.ts'
import { createTemporaryDatabase } from './support/temporary-database.ts'
import { writeResults } from './support/write-results.ts'

const IDLE_STREAMS = 1_000
const IDLE_GOAL_MB = 100
const RUNS_A_TOKEN = 25
/** Nothing is said before the streams are closed. */
const SILENCE_MS = 60_000
const POLLERS = 10_000
/** RFC 8628 §3.5: what a terminal waits between two polls. */
const INTERVAL_S = 5
const POLL_GOAL_MS = 100

/** Memory of a server that many wait at for a first word. */
async function idleStreams(latchkey: ServerProcess, app: string, tokens: readonly string[]) {
  const open = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, at) => openStream(latchkey, app, tokens[at % tokens.length] ?? '')))
  // What the first of them cost is the program's, not the streams'.
  for (const socket of await open(tokens.length)) socket.destroy()
  await pause(2_000)
  const before = latchkey.residentMb()
  const sockets: Socket[] = []
  while (sockets.length < IDLE_STREAMS) sockets.push(...(await open(Math.min(100, IDLE_STREAMS - sockets.length))))
  await pause(2_000)
  const grownMb = latchkey.residentMb() - before
  for (const socket of sockets) socket.destroy()
  return { streams: sockets.length, grown_mb: rounded(grownMb, 1), goal_mb: IDLE_GOAL_MB, met: grownMb <= IDLE_GOAL_MB }
}

/** A run that was asked for; its headers come with its first word, so whatever comes before is a refusal. */
async function openStream({ origin }: ServerProcess, app: string, token: string): Promise<Socket> {
  const { hostname, port } = new URL(origin)
  const body = JSON.stringify({ inputs: {}, query: 'wait', response_mode: 'streaming' })
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  socket.once('data', (said) => {
    throw new Error(`the stream did not wait: ${said}`)
  })
  await new Promise((connected) => socket.once('connect', connected))
  const lines = [
    `POST /openapi/v1/apps/${app}/run HTTP/1.1`,
    `host: ${hostname}`,
    `authorization: Bearer ${token}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`)
  return socket
}

/** As many terminals as wait for their people, each polling in its interval: two rounds, evenly spread. */
async function waitingPollers(latchkey: ServerProcess) {
  const addresses = addressSource()
  const codes: string[] = []
  await inTurn(Array.from({ length: POLLERS }), async () => {
    const response = await send(latchkey, latchkeyDevice.start(addresses()))
    const { device_code }: { readonly device_code: string } = JSON.parse(await response.text())
    codes.push(device_code)
  })
  const pool = openPool(latchkey.origin)
  const before = latchkey.cpuSeconds()
  const delays: { readonly p50Ms: number; readonly p99Ms: number }[] = []
  for (let round = 0; round < 2; round++) {
    let next = 0
    const load = {
      next: () => latchkeyDevice.poll(codes[next++ % codes.length] ?? '', addresses()),
      expectStatus: 400,
    }
    delays.push(await offer(pool, load, POLLERS / INTERVAL_S, INTERVAL_S))
  }
  const cpuShare = (latchkey.cpuSeconds() - before) / (2 * INTERVAL_S)
  await pool.destroy()
  const worst = (side: 'p50Ms' | 'p99Ms') =>
    quantile(
      delays.map((one) => one[side]).toSorted((a, b) => a - b),
      1,
    )
  const p99Ms = worst('p99Ms')
  return {
    pollers: POLLERS,
    polls_per_second: POLLERS / INTERVAL_S,
    p50_ms: rounded(worst('p50Ms'), 1),
    p99_ms: rounded(p99Ms, 1),
    goal_p99_ms: POLL_GOAL_MS,
    server_cores: rounded(cpuShare, 2),
    met: p99Ms <= POLL_GOAL_MS,
  }
}

async function main(): Promise<void> {
  const database = closeLater(await createTemporaryDatabase(), ({ drop }) => drop())
  const { settings } = closeLater(await deployment(database.url), ({ close }) => close())
  const model = { MODEL_BASE_URL: `scripted:?latency_ms=${SILENCE_MS}` }
  const latchkey = closeLater(await startLatchkey({ ...settings, ...model }), ({ stop }) => stop())
  await setUpOwner(latchkey)
  const app = importApp(settings, 'assistant-chat.yml')
  const tokens = await database.seedTokens(OWNER.email, Math.ceil(IDLE_STREAMS / RUNS_A_TOKEN))
  const results = {
    waiting_pollers: await waitingPollers(latchkey),
    idle_streams: await idleStreams(latchkey, app, tokens),
  }
  writeResults('connections', results)
  if (!results.idle_streams.met || !results.waiting_pollers.met) process.exitCode = 1
}

moveToLoadCore()
try {
  await main()
} finally {
  await closeAll()
}
