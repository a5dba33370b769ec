import { writeFileSync } from 'node:fs'
import { measureBusy } from './busy.bench.ts'
import { measureEngine } from './engine.bench.ts'
import { measureEqualLoad } from './equal-load.bench.ts'
import { type Compared, compare, startBare, WARM_UP_ROUNDS } from './ratio.bench.ts'
import { countRoundTrips } from './round-trips.bench.ts'
import { measureScale } from './scale.bench.ts'
import { MODEL_LATENCY_MS, measureStreams } from './stream.bench.ts'
import { bearerMeasures, tokensFor } from './support/bearer-measures.ts'
import { closeAll, closeLater } from './support/close-later.ts'
import { moveToLoadCore } from './support/cores.ts'
import { countingProxy } from './support/counting-proxy.ts'
import { deviceMeasures } from './support/device-measures.ts'
import {
  deployment,
  importApp,
  memoryDeployment,
  OWNER,
  type Settings,
  setUpOwner,
  startLatchkey,
} from './support/latchkey.ts'
import { latchkeyDevice } from './support/latchkey-device.ts'
import { peerDevice, startPeer } from './support/peer.ts'
import { type Results, resultsOf } from './support/report.ts'
import type { ServerProcess } from './support/server-process.ts'
import { tableOf } from './support/table.ts'
import { createTemporaryDatabase } from './support/temporary-database.ts'

const ROUNDS = 5
const TOKENS_TO_RUN_APPS = 40

async function measure() {
  const database = closeLater(await createTemporaryDatabase(), ({ drop }) => drop())
  const usual = closeLater(await deployment(database.url), ({ close }) => close())
  const latchkey = await start(usual.settings)
  await setUpOwner(latchkey)
  // Besides the rounds, one answer of each kind is shown to the bare server, and the equal load takes tokens.
  const tokens = await database.seedTokens(OWNER.email, tokensFor(ROUNDS + WARM_UP_ROUNDS + 2) + TOKENS_TO_RUN_APPS)
  const compared = await compareAll(latchkey, tokens.slice(TOKENS_TO_RUN_APPS))
  const runTokens = tokens.slice(0, TOKENS_TO_RUN_APPS)
  begin('round trips, streams')
  const observed = await observe(database.url, usual.settings, runTokens)
  begin('busy')
  const busy = await measureBusy(usual.settings, runTokens)
  begin('engine')
  const engine = await measureEngine()
  begin('many tokens')
  return { ...compared, ...observed, busy, engine, scale: await measureScale() }
}

async function compareAll(latchkey: ServerProcess, tokens: readonly string[]) {
  const inMemory = closeLater(await memoryDeployment(), ({ close }) => close())
  const memory = await start(inMemory.settings)
  const peer = closeLater(await startPeer(), ({ stop }) => stop())
  const services = {
    server: latchkey,
    measures: { ...bearerMeasures(latchkey, tokens), ...deviceMeasures(latchkeyDevice) },
  }
  const bare = closeLater(await startBare(services), ({ stop }) => stop())
  begin('ratios')
  const compared: readonly Compared[] = await compare(
    bare,
    {
      services,
      memory: { server: memory, measures: deviceMeasures(latchkeyDevice) },
      peer: { server: peer, measures: deviceMeasures(peerDevice) },
    },
    ROUNDS,
  )
  await Promise.all([memory.stop(), peer.stop()])
  begin('equal load')
  const equalLoad = await measureEqualLoad(bare, services)
  await Promise.all([latchkey.stop(), bare.stop()])
  return { compared, equalLoad }
}

/** The proxies cost time, so they stand only where nothing but round trips and delays is looked at. */
async function observe(databaseUrl: string, usual: Settings, tokens: readonly string[]) {
  const stores = {
    redis: closeLater(await countingProxy(usual.REDIS_URL ?? ''), ({ close }) => close()),
    database: closeLater(await countingProxy(databaseUrl), ({ close }) => close()),
  }
  const counted = closeLater(await deployment(stores.database.url, stores.redis.url), ({ close }) => close())
  const apps = {
    chat: importApp(usual, 'assistant-chat.yml'),
    workflow: importApp(usual, 'greeting-workflow.yml'),
  }
  const latchkey = await start({ ...counted.settings, MODEL_BASE_URL: `scripted:?latency_ms=${MODEL_LATENCY_MS}` })
  const roundTrips = await countRoundTrips(latchkey, tokens, stores)
  const streams = await measureStreams(latchkey, apps, tokens)
  await latchkey.stop()
  return { roundTrips, streams }
}

async function start(settings: Settings): Promise<ServerProcess> {
  return closeLater(await startLatchkey(settings), ({ stop }) => stop())
}

/** Minutes pass without a figure. */
function begin(part: string): void {
  console.error(`${((performance.now() - startedAtMs) / 1000).toFixed(0).padStart(4)} s  ${part}`)
}

function write(name: string, text: string): void {
  writeFileSync(new URL(name, import.meta.url), `${text}\n`)
}

function machineLine({ machine, took_s }: Results): string {
  return `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load before ${machine.load_before}; ${took_s} s`
}

moveToLoadCore()
const startedAtMs = performance.now()
try {
  const figures = await measure()
  const results = resultsOf(figures, (performance.now() - startedAtMs) / 1000)
  const { text, allMet } = tableOf(figures)
  const page = `${text}\n\n${machineLine(results)}`
  write('results.json', JSON.stringify(results, null, 2))
  write('results.md', `# Figures of the last run\n\n${page}`)
  console.log(page)
  if (!allMet) process.exitCode = 1
} finally {
  await closeAll()
}
