import { createHash } from 'node:crypto'
import { POSITIVE_TTL_MS } from '#application/ports/token-cache.ts'

/** How requests with a bearer come: which tokens, and when. */
type Callers = {
  readonly name: string
  /** The times of one visit's requests, in ms after its first. */
  readonly visit: (random: () => number) => readonly number[]
}

/** What one kind of caller costs, by offered request. */
export type Load = {
  readonly name: string
  readonly admitted: number
  /** Scripts that count a hit and read the cache. */
  readonly asked: number
  /** Requests whose token was in no cache: three reads in PostgreSQL and one write to Redis. */
  readonly refilled: number
  /** Rows whose last use is written. */
  readonly lastUses: number
  /** Tokens that have an entry in Redis, and hits that are kept there. */
  readonly live: number
  readonly hits: number
  /** The most loaded of eight masters over their mean. */
  readonly skew: number
}

/** Of what is foreseen, so that it takes seconds: 1,000 requests a second instead of 100,000. */
const RATE = 1_000
const MINUTE_MS = 60_000
/** The first minutes fill the windows and the cache. */
const [WARM_MS, UNTIL_MS] = [2 * MINUTE_MS, 7 * MINUTE_MS]
const LIMIT = 60
const REMEMBERED_MS = 1_000
const REPLICAS = 8
const MASTERS = 8
/** `docs/scale.md` says how each was measured. */
const COST = { scriptUs: 10, entryBytes: 980, windowBytes: 130, hitBytes: 45, requestUs: 45 }

const exponential = (mean: number, random: () => number) => -mean * Math.log(1 - random())

const CALLERS: readonly Callers[] = [
  {
    name: 'people at terminals: visits of some twelve calls, five seconds apart',
    visit(random) {
      const times = [0]
      while (random() < 11 / 12) times.push((times.at(-1) ?? 0) + exponential(5_000, random))
      return times
    },
  },
  {
    name: 'scheduled scripts: a call or two, and then nothing for long',
    visit: (random) => (random() < 0.5 ? [0] : [0, 800]),
  },
  {
    name: 'loops that ignore `Retry-After`: twenty calls a second for a minute',
    visit: (random) => Array.from({ length: 1200 }, (_, call) => call * 50 + random() * 10),
  },
]

/** Plays each kind of caller alone against the limiter and the cache; the same for the same seed. */
export function simulate(seed: number): readonly Load[] {
  return CALLERS.map((callers) => play(callers, makeRandom(seed)))
}

function play({ name, visit }: Callers, random: () => number): Load {
  const calls = callsOf(visit, random)
  const windows = new Map<number, number[]>()
  const cachedUntil = new Map<number, number>()
  const writtenAt = new Map<number, number>()
  const refusedUntil = new Map<string, number>()
  const masters = new Array<number>(MASTERS).fill(0)
  const sum = { offered: 0, admitted: 0, asked: 0, refilled: 0, lastUses: 0 }
  for (const { atMs, token } of calls) {
    const counts = atMs >= WARM_MS ? 1 : 0
    sum.offered += counts
    const door = `${Math.floor(random() * REPLICAS)} ${token}`
    if (atMs < (refusedUntil.get(door) ?? 0)) continue
    sum.asked += counts
    const master = masterOf(token)
    masters[master] = (masters[master] ?? 0) + counts
    const hits = (windows.get(token) ?? []).filter((hitMs) => hitMs > atMs - MINUTE_MS)
    if (hits.length >= LIMIT) {
      refusedUntil.set(door, atMs + REMEMBERED_MS)
      windows.set(token, hits)
      continue
    }
    windows.set(token, [...hits, atMs])
    sum.admitted += counts
    if (atMs >= (cachedUntil.get(token) ?? 0)) {
      cachedUntil.set(token, atMs + POSITIVE_TTL_MS)
      sum.refilled += counts
    }
    if (atMs >= (writtenAt.get(token) ?? -MINUTE_MS) + MINUTE_MS) {
      writtenAt.set(token, atMs)
      sum.lastUses += counts
    }
  }
  const live = [...cachedUntil.values()].filter((untilMs) => untilMs > UNTIL_MS).length
  const kept = [...windows.values()].reduce(
    (all, hits) => all + hits.filter((at) => at > UNTIL_MS - MINUTE_MS).length,
    0,
  )
  const mean = masters.reduce((all, one) => all + one, 0) / MASTERS
  const share = (count: number) => count / sum.offered
  return {
    name,
    admitted: share(sum.admitted),
    asked: share(sum.asked),
    refilled: share(sum.refilled),
    lastUses: share(sum.lastUses),
    live: live / RATE,
    hits: kept / RATE,
    skew: Math.max(...masters) / mean,
  }
}

/** Visits begin at random, often enough for `RATE`; each is another token's. */
function callsOf(visit: Callers['visit'], random: () => number): readonly { atMs: number; token: number }[] {
  const wanted = (RATE * UNTIL_MS) / 1000
  const calls: { atMs: number; token: number }[] = []
  for (let token = 0; calls.length < wanted; token++) {
    const startMs = random() * UNTIL_MS
    for (const ms of visit(random)) {
      // Who began before the end is still there at the next beginning: time is a ring.
      calls.push({ atMs: (startMs + ms) % UNTIL_MS, token })
    }
  }
  return calls.toSorted((one, other) => one.atMs - other.atMs)
}

/** Sixteen thousand slots in equal parts, as a cluster is made. */
function masterOf(token: number): number {
  const slot = createHash('sha256').update(String(token)).digest().readUInt16BE() % 16_384
  return Math.floor((slot * MASTERS) / 16_384)
}

/** Mulberry32: numbers from 0 to 1 that a seed decides. */
function makeRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The costs at `rate` requests a second, as a table in Markdown. */
export function loadTable(loads: readonly Load[], rate: number): string {
  const rows = loads.map((load) => {
    const scripts = load.asked * rate
    const bytes = rate * (load.live * (COST.entryBytes + COST.windowBytes) + load.hits * COST.hitBytes)
    const cells = [
      load.name,
      percent(load.admitted),
      whole(scripts),
      (scripts * COST.scriptUs * 1e-6).toFixed(1),
      `${load.skew.toFixed(2)} ×`,
      `${(bytes / 1e9).toFixed(2)} GB`,
      whole(load.refilled * rate * 3),
      whole(load.lastUses * rate),
      (rate * COST.requestUs * 1e-6).toFixed(1),
    ]
    return `| ${cells.join(' | ')} |`
  })
  return [
    `| ${whole(rate)} requests a second of | admitted | scripts a second | cores of Redis | most loaded of ${MASTERS} masters | Redis memory | reads a second in PostgreSQL | rows written a second | cores of Latchkey |`,
    '|---|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

const percent = (share: number) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
const whole = (count: number) => Math.round(count).toLocaleString('en')
