import { arch, cpus, loadavg, release, totalmem } from 'node:os'
import type { BusyFigures } from '../busy.bench.ts'
import type { EngineFigures } from '../engine.bench.ts'
import type { EqualLoad } from '../equal-load.bench.ts'
import type { Compared, Side } from '../ratio.bench.ts'
import type { RoundTrips } from '../round-trips.bench.ts'
import type { Scaled } from '../scale.bench.ts'
import type { StreamFigures } from '../stream.bench.ts'
import { canPin } from './cores.ts'
import { rounded, type Spread } from './numbers.ts'

export type Figures = {
  readonly compared: readonly Compared[]
  readonly equalLoad: EqualLoad
  readonly roundTrips: RoundTrips
  readonly engine: EngineFigures
  readonly busy: BusyFigures
  readonly streams: StreamFigures
  readonly scale: Scaled
}

/** How many threads wanted a core in the minute before; they may have shared the machine. */
const LOAD_BEFORE = loadavg()[0] ?? 0

/**
 * What `bench/results.json` says. `ratios` and `peers` are to bare Koa. Device flows are compared with a peer that
 * keeps them in memory, so Latchkey's are on memory as well; what they cost on Redis and PostgreSQL stands beside it.
 */
export function resultsOf({ compared, equalLoad, roundTrips, engine, streams, busy, scale }: Figures, tookS: number) {
  return {
    ratios: Object.fromEntries(compared.flatMap(ratiosOf)),
    peers: {
      oidc_provider: named(compared, ({ sides }) => sides.peer && rounded(sides.peer.ratio.median, 3)),
    },
    times_peer: {
      oidc_provider: named(compared, ({ timesPeer }) => {
        const { memory, services, keyPair } = timesPeer
        if (memory === undefined || services === undefined) return
        const alone = keyPair && { key_pair_alone: spread(keyPair) }
        return { memory: spread(memory), redis_and_postgresql: spread(services), ...alone }
      }),
    },
    equal_load: {
      requests_per_second: equalLoad.perSecond,
      p99_ratio: spread(equalLoad.ratio),
      latchkey: { p50_ms: rounded(equalLoad.latchkey.p50Ms, 2), p99_ms: rounded(equalLoad.latchkey.p99Ms, 2) },
      bare_koa: { p50_ms: rounded(equalLoad.bare.p50Ms, 2), p99_ms: rounded(equalLoad.bare.p99Ms, 2) },
    },
    scale: {
      tokens: { few: scale.tokens[0], many: scale.tokens[1] },
      seeded_in_s: rounded(scale.seededInS, 1),
      cost_ratio: Object.fromEntries(scale.costs.map(({ name, ratio }) => [name, spread(ratio)])),
      median_ms: Object.fromEntries(
        scale.costs.map(({ name, fewMs, manyMs }) => [name, { few: rounded(fewMs, 2), many: rounded(manyMs, 2) }]),
      ),
    },
    engine: {
      chain_ms_per_node: rounded(engine.chain.median, 3),
      fan_ms_per_node: rounded(engine.fan.median, 3),
      first_text_after_model_ms: rounded(streams.firstText.median, 1),
      first_text_after_model_p90_ms: rounded(streams.firstText.p90, 1),
      workflow_started_ms: rounded(streams.workflowStarted.median, 1),
      workflow_started_p90_ms: rounded(streams.workflowStarted.p90, 1),
      growth_50_to_200: { chain: rounded(engine.growth.chain, 2), fan: rounded(engine.growth.fan, 2) },
      run_ms: Object.fromEntries(
        engine.growth.lengths.map(({ nodes, chainMs, fanMs }) => [
          nodes,
          { chain: rounded(chainMs, 2), fan: rounded(fanMs, 2) },
        ]),
      ),
      python_call_ms: { p50: rounded(engine.python.p50Ms, 2), p99: rounded(engine.python.p99Ms, 2) },
    },
    busy: {
      streams: busy.streams,
      frames_per_second: Math.round(busy.framesPerSecond),
      health_ms: { p50: rounded(busy.health.p50Ms, 1), p99: rounded(busy.health.p99Ms, 1) },
      slow_reader_mb: {
        offered: busy.slowReader.offeredMb,
        taken: rounded(busy.slowReader.takenMb, 1),
        grown: rounded(busy.slowReader.grownMb, 1),
      },
    },
    warm_bearer: {
      redis_round_trips: rounded(roundTrips.redis, 2),
      sql_round_trips: rounded(roundTrips.sql, 2),
    },
    machine: machine(),
    runs: Object.fromEntries(compared.map(runOf)),
    took_s: Math.round(tookS),
  }
}

export type Results = ReturnType<typeof resultsOf>

function ratiosOf({ name, sides: { services, memory } }: Compared): readonly (readonly [string, number])[] {
  const median = (side: { readonly ratio: Spread }) => rounded(side.ratio.median, 3)
  if (services === undefined) return []
  if (memory === undefined) return [[name, median(services)]]
  return [
    [name, median(memory)],
    [`${name}_on_redis`, median(services)],
  ]
}

function named<V>(compared: readonly Compared[], pick: (one: Compared) => V | undefined) {
  return Object.fromEntries(
    compared.flatMap((one) => {
      const value = pick(one)
      return value === undefined ? [] : [[one.name, value] as const]
    }),
  )
}

function runOf({ name, bare, sides: { services, memory, peer } }: Compared) {
  const weighed = (one: (Side & { readonly ratio: Spread }) | undefined) =>
    one && { ...side(one), ratio: spread(one.ratio) }
  return [
    name,
    {
      bare_koa: side(bare),
      latchkey: weighed(services),
      ...(memory && { latchkey_on_memory: weighed(memory) }),
      ...(peer && { oidc_provider: weighed(peer) }),
    },
  ] as const
}

const side = (one: Side) => ({
  per_cpu_second: Math.round(one.perCpuSecond),
  per_second: Math.round(one.perSecond),
  p99_ms: one.p99Ms,
})

const spread = ({ median, min, max }: Spread) => ({
  median: rounded(median, 3),
  min: rounded(min, 3),
  max: rounded(max, 3),
})

function machine() {
  const [cpu] = cpus()
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()} ${arch()}`,
    node: process.version,
    pinned: canPin,
    load_before: rounded(LOAD_BEFORE, 1),
  }
}
