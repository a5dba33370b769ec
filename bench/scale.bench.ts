import { getWorkspaces } from './support/bearer-measures.ts'
import { closeLater } from './support/close-later.ts'
import { deployment, OWNER, setUpOwner, startLatchkey } from './support/latchkey.ts'
import { latchkeyDevice } from './support/latchkey-device.ts'
import type { Shot } from './support/load.ts'
import { type Spread, spreadOf } from './support/numbers.ts'
import type { ServerProcess } from './support/server-process.ts'
import { addressSource, send } from './support/shots.ts'
import { createTemporaryDatabase } from './support/temporary-database.ts'

export type Scaled = {
  readonly tokens: readonly [few: number, many: number]
  readonly seededInS: number
  readonly costs: readonly Cost[]
}
export type Cost = {
  readonly name: string
  readonly title: string
  /** The median request with many tokens over that with few, of each batch. */
  readonly ratio: Spread
  readonly fewMs: number
  readonly manyMs: number
}

const FEW = 1_000
const MANY = 1_000_000
const BATCHES = 5
const BATCH = 40
/** So many requests go before those that count. */
const WARM_UP = 40
const TITLES = {
  bearer_cold: 'GET /workspaces, first use of a bearer',
  bearer_warm: 'GET /workspaces, bearer used before',
  sessions: 'GET /account/sessions',
  mint: 'POST /oauth/device/approve, which mints',
} as const
type Name = keyof typeof TITLES
// `Object.keys` forgets the names.
const NAMES = Object.keys(TITLES) as readonly Name[]

/**
 * What requests cost with few live tokens and with many: time from request to answer, stores included, one request at
 * a time, in turn on both, so that whatever else the machine does meets both alike.
 */
export async function measureScale(): Promise<Scaled> {
  const few = await openStocked(FEW)
  const many = await openStocked(MANY)
  for (let at = 0; at < WARM_UP; at++) for (const stocked of [few, many]) await stocked.times(at)
  const delays: { readonly few: Delays; readonly many: Delays }[] = []
  for (let at = WARM_UP; at < WARM_UP + BATCHES * BATCH; at++) {
    delays.push({ few: await few.times(at), many: await many.times(at) })
  }
  return { tokens: [FEW, MANY], seededInS: many.seededInS, costs: NAMES.map((name) => costOf(name, delays)) }
}

type Delays = Readonly<Record<Name, number>>

function costOf(name: Name, delays: readonly { readonly few: Delays; readonly many: Delays }[]): Cost {
  const median = (side: 'few' | 'many', among: typeof delays) => spreadOf(among.map((pair) => pair[side][name])).median
  const ratios = Array.from({ length: BATCHES }, (_, batch) => {
    const among = delays.slice(batch * BATCH, (batch + 1) * BATCH)
    return median('many', among) / median('few', among)
  })
  const title = TITLES[name]
  return { name, title, ratio: spreadOf(ratios), fewMs: median('few', delays), manyMs: median('many', delays) }
}

/** A Latchkey with `count` live tokens in its database. */
async function openStocked(count: number) {
  const database = closeLater(await createTemporaryDatabase(), ({ drop }) => drop())
  const { settings } = closeLater(await deployment(database.url), ({ close }) => close())
  // A person approves ten an hour; here one approves hundreds. The limit is still counted.
  const generous = { ...settings, DEVICE_FLOW_APPROVE_RATE_LIMIT_PER_HOUR: '1000000' }
  const latchkey = closeLater(await startLatchkey(generous), ({ stop }) => stop())
  await setUpOwner(latchkey)
  const startedAtMs = performance.now()
  const tokens = await database.seedMany(count, WARM_UP + BATCHES * BATCH)
  const seededInS = (performance.now() - startedAtMs) / 1000
  const browser = await signIn(latchkey)
  const addresses = addressSource()
  return {
    seededInS,
    /** Milliseconds of each kind of request, with a bearer that nobody used before. */
    async times(at: number): Promise<Delays> {
      const bearer = tokens[at] ?? ''
      const { approve } = await startedFlow(latchkey, browser, addresses(), at)
      return {
        bearer_cold: await msOf(latchkey, getWorkspaces(bearer)),
        bearer_warm: await msOf(latchkey, getWorkspaces(bearer)),
        sessions: await msOf(latchkey, { ...getWorkspaces(bearer), path: '/openapi/v1/account/sessions' }),
        mint: await msOf(latchkey, approve),
      }
    },
  }
}

export type Browser = Readonly<Record<string, string>>

/** The headers by which the owner's browser is known. */
export async function signIn(latchkey: ServerProcess): Promise<Browser> {
  const body = JSON.stringify({ email: OWNER.email, password: OWNER.password })
  const headers = { 'content-type': 'application/json' }
  const response = await send(latchkey, { method: 'POST', path: '/console/api/login', headers, body })
  if (response.status !== 200) throw new Error(`login answered ${response.status}: ${await response.text()}`)
  const pairs = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '')
  const csrf = pairs.find((pair) => /csrf_token=/.test(pair))?.split('=')[1] ?? ''
  return { ...headers, cookie: pairs.join('; '), 'x-csrf-token': csrf }
}

/** A flow of one more device of the owner: the request that lets it in, and its code. */
export async function startedFlow(latchkey: ServerProcess, browser: Browser, address: string, at: number) {
  const { body: _same, ...shot } = latchkeyDevice.start(address)
  const body = JSON.stringify({ client_id: 'latchkey', device_label: `terminal ${at}` })
  const response = await send(latchkey, { ...shot, body })
  const { user_code, device_code }: { readonly user_code: string; readonly device_code: string } = JSON.parse(
    await response.text(),
  )
  const path = '/openapi/v1/oauth/device/approve'
  const approve: Shot = { method: 'POST', path, headers: browser, body: JSON.stringify({ user_code }) }
  return { approve, deviceCode: device_code }
}

export async function msOf(latchkey: ServerProcess, shot: Shot): Promise<number> {
  const startedAtMs = performance.now()
  const response = await send(latchkey, shot)
  const text = await response.text()
  const tookMs = performance.now() - startedAtMs
  if (response.status !== 200) throw new Error(`${shot.path} answered ${response.status}: ${text}`)
  return tookMs
}
