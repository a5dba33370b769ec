import { writeFileSync } from 'node:fs'
import { measureEngine } from './engine.bench.ts'
import { compare, WARM_UP_ROUNDS } from './ratio.bench.ts'
import { countRoundTrips } from './round-trips.bench.ts'
import { MODEL_LATENCY_MS, measureStreams } from './stream.bench.ts'
import { moveToLoadCore } from './support/cores.ts'
import { countingProxy } from './support/counting-proxy.ts'
import { deployment, importApp, OWNER, setUpOwner, startLatchkey } from './support/latchkey.ts'
import { makeMeasures, tokensFor } from './support/measures.ts'
import { resultsOf, tableOf } from './support/report.ts'
import { createTemporaryDatabase } from './support/temporary-database.ts'

const ROUNDS = 5
const TOKENS_TO_RUN_APPS = 40

/** Frees what was opened, last first, also when something in between failed. */
const opened: (() => Promise<void> | void)[] = []
function closeLater<T>(thing: T, close: (thing: T) => Promise<void> | void): T {
  opened.push(() => close(thing))
  return thing
}

async function measure() {
  const database = closeLater(await createTemporaryDatabase(), ({ drop }) => drop())
  const usual = closeLater(await deployment(database.url), ({ close }) => close())
  const latchkey = closeLater(await startLatchkey(usual.settings), ({ stop }) => stop())
  await setUpOwner(latchkey)
  // The rounds that warm up take tokens too, and one answer of each kind is shown to the bare server.
  const tokens = await database.seedTokens(OWNER.email, tokensFor(ROUNDS + WARM_UP_ROUNDS + 1) + TOKENS_TO_RUN_APPS)
  const compared = await compare(latchkey, makeMeasures(latchkey, tokens.slice(TOKENS_TO_RUN_APPS)), ROUNDS)
  await latchkey.stop()

  // The proxies cost time, so they stand only where nothing but round trips and delays is looked at.
  const stores = {
    redis: closeLater(await countingProxy(usual.settings.REDIS_URL ?? ''), ({ close }) => close()),
    database: closeLater(await countingProxy(database.url), ({ close }) => close()),
  }
  const counted = closeLater(await deployment(stores.database.url, stores.redis.url), ({ close }) => close())
  const settings = { ...counted.settings, MODEL_BASE_URL: `scripted:?latency_ms=${MODEL_LATENCY_MS}` }
  const apps = {
    chat: importApp(usual.settings, 'assistant-chat.yml'),
    workflow: importApp(usual.settings, 'greeting-workflow.yml'),
  }
  const observed = closeLater(await startLatchkey(settings), ({ stop }) => stop())
  const runTokens = tokens.slice(0, TOKENS_TO_RUN_APPS)
  const roundTrips = await countRoundTrips(observed, runTokens, stores)
  const streams = await measureStreams(observed, apps, runTokens)
  return { compared, roundTrips, streams, engine: await measureEngine() }
}

moveToLoadCore()
const startedAtMs = performance.now()
try {
  const figures = await measure()
  const results = resultsOf(figures, (performance.now() - startedAtMs) / 1000)
  writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
  const { text, allMet } = tableOf(figures)
  console.log(
    `${text}\n\n${results.machine.cpu}, ${results.machine.cores} cores, Node ${results.machine.node}; ${results.took_s} s`,
  )
  if (!allMet) process.exitCode = 1
} finally {
  for (const close of opened.toReversed()) await close()
}
