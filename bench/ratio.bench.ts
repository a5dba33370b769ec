import { fileURLToPath } from 'node:url'
import { freePort } from './support/free-port.ts'
import { type Load, type Volley, volley } from './support/load.ts'
import type { BareAnswer, Contestant, DeviceMeasureName, Measure, MeasureName } from './support/measure.ts'
import { KEY_PAIR_PATH, TITLES } from './support/measure.ts'
import { type Spread, spreadOf } from './support/numbers.ts'
import { type ServerProcess, startServer } from './support/server-process.ts'
import { ROUND_S, send } from './support/shots.ts'

/** Who is measured beside the bare server. */
export type Contestants = {
  /** On Redis and PostgreSQL. */
  readonly services: Contestant
  /** Latchkey without either, like the peer. */
  readonly memory: Contestant<DeviceMeasureName>
  readonly peer: Contestant<DeviceMeasureName>
}
type Who = keyof Contestants
/** Who is weighed against the peer; `keyPair` is the bare server that derives the key pair of a code and nothing else. */
type Rival = 'services' | 'memory' | 'keyPair'

export type Compared = {
  readonly name: MeasureName
  readonly bare: Side
  readonly sides: { readonly [W in Who]?: Side & { readonly ratio: Spread } }
  /** Requests per CPU second over the peer's of the same round. */
  readonly timesPeer: { readonly [W in Rival]?: Spread }
}
export type Side = { readonly perCpuSecond: number; readonly perSecond: number; readonly p99Ms: number }
type Round = { readonly bare: Volley } & { readonly [W in Who | Rival]?: Volley }

/** Rounds before those that count. */
export const WARM_UP_ROUNDS = 8

const BARE = fileURLToPath(new URL('support/bare-koa.ts', import.meta.url))
// `Object.keys` forgets the names.
const NAMES = Object.keys(TITLES) as readonly MeasureName[]
const WHO: readonly Who[] = ['services', 'memory', 'peer']

/** A bare Koa that says what Latchkey answers to each of its measures. */
export async function startBare({ server, measures }: Contestant): Promise<ServerProcess> {
  const answers: BareAnswer[] = []
  for (const name of NAMES) answers.push(await answerOf(server, name, measures[name]))
  return startServer([BARE], await freePort(), '/', { BARE_ANSWERS: JSON.stringify(answers) })
}

/**
 * Puts every measure to a bare Koa and to each contestant in turn, `rounds` times, so that whatever else the machine
 * does meets all alike. The first rounds are thrown away: a server that has run for less than ten seconds is still
 * being compiled, the larger the longer.
 */
export async function compare(
  bare: ServerProcess,
  contestants: Contestants,
  rounds: number,
): Promise<readonly Compared[]> {
  const measured = new Map<MeasureName, Round[]>(NAMES.map((name) => [name, []]))
  for (let round = 1 - WARM_UP_ROUNDS; round <= rounds; round++) {
    for (const name of NAMES) {
      const volleys = await playRound(bare, contestants, name)
      if (round > 0) measured.get(name)?.push(volleys)
    }
  }
  return NAMES.map((name) => summaryOf(name, measured.get(name) ?? []))
}

async function playRound(bare: ServerProcess, contestants: Contestants, name: MeasureName): Promise<Round> {
  const { server, measures } = contestants.services
  await measures[name].prepare?.()
  const load = measures[name].load()
  const round = { bare: await volley(bare, bareLoad(load, barePath(name))), services: await volley(server, load) }
  if (name !== 'device_code' && name !== 'pending_poll') return round
  const { memory, peer } = contestants
  return {
    ...round,
    ...(name === 'device_code' ? { keyPair: await volley(bare, bareLoad(load, KEY_PAIR_PATH)) } : {}),
    memory: await volley(memory.server, memory.measures[name].load()),
    peer: await volley(peer.server, peer.measures[name].load()),
  }
}

/** What Latchkey answers to one request of a measure. */
async function answerOf(latchkey: ServerProcess, name: MeasureName, measure: Measure): Promise<BareAnswer> {
  await measure.prepare?.()
  const load = measure.load()
  const shot = load.next()
  const response = await send(latchkey, shot)
  const text = await response.text()
  if (response.status !== load.expectStatus) throw new Error(`${shot.path} answered ${response.status}: ${text}`)
  load.onBody?.(text)
  return { method: shot.method, path: barePath(name), status: response.status, body: JSON.parse(text) }
}

export const barePath = (name: MeasureName) => `/openapi/v1/${name}`

/** The same requests for the bare server, which keeps its answers elsewhere and whose bodies mean nothing. */
export function bareLoad({ next, expectStatus }: Load, path: string): Load {
  return { next: () => ({ ...next(), path }), expectStatus, until: { seconds: ROUND_S } }
}

function summaryOf(name: MeasureName, rounds: readonly Round[]): Compared {
  const over = (who: Who | Rival, other: 'bare' | 'peer') => {
    const ratios = rounds.flatMap((round) => {
      const [mine, yours] = [round[who], round[other]]
      return mine === undefined || yours === undefined ? [] : [mine.perCpuSecond / yours.perCpuSecond]
    })
    return ratios.length === 0 ? null : spreadOf(ratios)
  }
  const sides: Compared['sides'] = Object.fromEntries(
    WHO.flatMap((who) => {
      const ratio = over(who, 'bare')
      const volleys = rounds.flatMap((round) => round[who] ?? [])
      return ratio === null ? [] : [[who, { ...sideOf(volleys), ratio }]]
    }),
  )
  const timesPeer = Object.fromEntries(
    (['services', 'memory', 'keyPair'] as const).flatMap((who) => {
      const times = over(who, 'peer')
      return times === null ? [] : [[who, times]]
    }),
  )
  return { name, bare: sideOf(rounds.map(({ bare }) => bare)), sides, timesPeer }
}

function sideOf(volleys: readonly Volley[]): Side {
  const median = (pick: (one: Volley) => number) => spreadOf(volleys.map(pick)).median
  return {
    perCpuSecond: median((one) => one.perCpuSecond),
    perSecond: median((one) => one.perSecond),
    p99Ms: median((one) => one.p99Ms),
  }
}
