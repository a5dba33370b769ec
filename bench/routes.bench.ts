import { writeFileSync } from 'node:fs'
import { createPostgresAppAccess } from '#adapters/postgres/app-access.ts'
import { msOf, signIn, startedFlow } from './scale.bench.ts'
import { getWorkspaces } from './support/bearer-measures.ts'
import { closeAll, closeLater } from './support/close-later.ts'
import { moveToLoadCore } from './support/cores.ts'
import { deployment, importApp, OWNER, setUpOwner, startLatchkey } from './support/latchkey.ts'
import { latchkeyDevice } from './support/latchkey-device.ts'
import { rounded, spreadOf } from './support/numbers.ts'
import { addressSource } from './support/shots.ts'
import { createTemporaryDatabase } from './support/temporary-database.ts'

const APPS = { few: 100, many: 100_000 }
const WARM_UP = 50
const ROUNDS = 200
const ROUNDS_A_TOKEN = 10
const GOAL = 2

const NAMES = ['apps', 'describe', 'sessions', 'redeem', 'permitted'] as const
type Delays = Readonly<Record<(typeof NAMES)[number], number>>

/** A Latchkey whose one workspace has `count` apps. */
async function openStocked(count: number) {
  const database = closeLater(await createTemporaryDatabase(), ({ drop }) => drop())
  const { settings } = closeLater(await deployment(database.url), ({ close }) => close())
  const generous = { ...settings, DEVICE_FLOW_APPROVE_RATE_LIMIT_PER_HOUR: '1000000' }
  const latchkey = closeLater(await startLatchkey(generous), ({ stop }) => stop())
  await setUpOwner(latchkey)
  const app = importApp(generous, 'assistant-chat.yml')
  await database.seedApps(count - 1)
  const tokens = await database.seedTokens(OWNER.email, Math.ceil((WARM_UP + ROUNDS) / ROUNDS_A_TOKEN))
  const browser = await signIn(latchkey)
  const addresses = addressSource()
  const bearerOf = (at: number) => tokens[Math.floor(at / ROUNDS_A_TOKEN)] ?? ''
  const response = await fetch(`${latchkey.origin}/openapi/v1/workspaces`, getWorkspaces(bearerOf(0)))
  const { workspaces }: { readonly workspaces: readonly { readonly id: string }[] } = JSON.parse(await response.text())
  const page = `/openapi/v1/apps?workspace_id=${workspaces[0]?.id}`
  const permitted = await database.times(
    (em) => createPostgresAppAccess(em).open([{ type: 'email', value: 'x' }], { page: 1, limit: 20 }),
    WARM_UP + ROUNDS,
  )
  return async (at: number): Promise<Delays> => {
    const ask = (path: string) => msOf(latchkey, { ...getWorkspaces(bearerOf(at)), path })
    const { approve, deviceCode } = await startedFlow(latchkey, browser, addresses(), at)
    await msOf(latchkey, approve)
    return {
      apps: await ask(page),
      describe: await ask(`/openapi/v1/apps/${app}/describe`),
      sessions: await ask('/openapi/v1/account/sessions'),
      redeem: await msOf(latchkey, latchkeyDevice.poll(deviceCode, addresses())),
      permitted: permitted[at] ?? Number.NaN,
    }
  }
}

/** What the other routes cost, one request at a time, with few apps and with many, in turn. */
async function main(): Promise<void> {
  const [few, many] = [await openStocked(APPS.few), await openStocked(APPS.many)]
  const pairs: { readonly few: Delays; readonly many: Delays }[] = []
  for (let at = 0; at < WARM_UP + ROUNDS; at++) {
    const pair = { few: await few(at), many: await many(at) }
    if (at >= WARM_UP) pairs.push(pair)
  }
  const figures = NAMES.map((name) => {
    const median = (side: 'few' | 'many') => spreadOf(pairs.map((pair) => pair[side][name])).median
    return { name, few_ms: rounded(median('few'), 2), many_ms: rounded(median('many'), 2) }
  })
  const results = figures.map((one) => ({ ...one, ratio: rounded(one.many_ms / one.few_ms, 2) }))
  console.log(`milliseconds to the answer, ${APPS.few} apps and ${APPS.many}`)
  for (const { name, few_ms, many_ms, ratio } of results) {
    console.log(`${name.padEnd(10)} ${few_ms.toFixed(2)} ${many_ms.toFixed(2)}  ${ratio.toFixed(2)} ×`)
  }
  writeFileSync(
    new URL('results-routes.json', import.meta.url),
    `${JSON.stringify({ apps: APPS, results }, null, 2)}\n`,
  )
  if (results.some(({ ratio }) => ratio > GOAL)) process.exitCode = 1
}

moveToLoadCore()
try {
  await main()
} finally {
  await closeAll()
}
