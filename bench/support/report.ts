import { arch, cpus, release, totalmem } from 'node:os'
import type { Compared } from '../ratio.bench.ts'
import type { RoundTrips } from '../round-trips.bench.ts'
import type { StreamFigures } from '../stream.bench.ts'
import { canPin } from './cores.ts'
import { rounded, type Spread } from './numbers.ts'

export type Figures = {
  readonly compared: readonly Compared[]
  readonly roundTrips: RoundTrips
  readonly engine: { readonly chain: Spread; readonly fan: Spread }
  readonly streams: StreamFigures
}

type Line = { readonly what: string; readonly figure: string; readonly goal: string; readonly met: boolean | null }

/** The ratios that are promised; the others are told for comparison. */
const GOALS: Readonly<Record<string, number>> = { bearer_get: 0.45 }
const NODE_GOAL_MS = 5
const STREAM_GOAL_MS = 50

/** What `bench/results.json` says. */
export function resultsOf({ compared, roundTrips, engine, streams }: Figures, tookS: number) {
  return {
    ratios: Object.fromEntries(compared.map(({ name, ratio }) => [name, rounded(ratio.median, 3)])),
    engine: {
      chain_ms_per_node: rounded(engine.chain.median, 3),
      fan_ms_per_node: rounded(engine.fan.median, 3),
      first_text_after_model_ms: rounded(streams.firstText.median, 1),
      first_text_after_model_p90_ms: rounded(streams.firstText.p90, 1),
      workflow_started_ms: rounded(streams.workflowStarted.median, 1),
      workflow_started_p90_ms: rounded(streams.workflowStarted.p90, 1),
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

function runOf({ name, ratio, latchkey, bare }: Compared) {
  const side = (one: Compared['bare']) => ({
    per_cpu_second: Math.round(one.perCpuSecond),
    per_second: Math.round(one.perSecond),
    p99_ms: one.p99Ms,
  })
  const spread = { min: rounded(ratio.min, 3), max: rounded(ratio.max, 3) }
  return [name, { ratio: spread, latchkey: side(latchkey), bare_koa: side(bare) }] as const
}

function machine() {
  const [cpu] = cpus()
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()} ${arch()}`,
    node: process.version,
    pinned: canPin,
  }
}

/** The table that is printed; false when a goal was missed. */
export function tableOf(figures: Figures): { readonly text: string; readonly allMet: boolean } {
  const lines = [...figures.compared.map(ratioLine), ...engineLines(figures)]
  const width = (pick: (line: Line) => string) => Math.max(...lines.map((line) => pick(line).length))
  const [what, figure] = [width((line) => line.what), width((line) => line.figure)]
  const text = lines.map((line) => {
    const verdict = line.met === null ? '' : line.met ? 'met' : 'MISSED'
    return `${line.what.padEnd(what)}  ${line.figure.padEnd(figure)}  ${line.goal} ${verdict}`.trimEnd()
  })
  return { text: text.join('\n'), allMet: lines.every(({ met }) => met !== false) }
}

function ratioLine({ name, title, ratio, latchkey, bare }: Compared): Line {
  const goal = GOALS[name]
  const rates = `${Math.round(latchkey.perCpuSecond)} against ${Math.round(bare.perCpuSecond)} a CPU second`
  return {
    what: `${name}: ${title}`,
    figure: `${ratio.median.toFixed(2)} of bare Koa (${ratio.min.toFixed(2)}…${ratio.max.toFixed(2)}), ${rates}`,
    goal: goal === undefined ? '' : `>= ${goal}`,
    met: goal === undefined ? null : ratio.median >= goal,
  }
}

function engineLines({ roundTrips, engine, streams }: Figures): readonly Line[] {
  const atMost = (what: string, figure: string, value: number, goal: number, unit: string): Line => ({
    what,
    figure,
    goal: `<= ${goal}${unit}`,
    met: value <= goal,
  })
  const node = (what: string, { median, min, max }: Spread) =>
    atMost(what, `${median.toFixed(3)} ms (${min.toFixed(3)}…${max.toFixed(3)})`, median, NODE_GOAL_MS, ' ms')
  const delay = (what: string, { median, p90 }: StreamFigures['firstText']) =>
    atMost(what, `${median.toFixed(1)} ms, p90 ${p90.toFixed(1)} ms`, p90, STREAM_GOAL_MS, ' ms')
  const { redis, sql } = roundTrips
  return [
    atMost('warm bearer: Redis round trips a request', redis.toFixed(2), Math.round(redis * 10) / 10, 1, ''),
    atMost('warm bearer: SQL round trips a request', sql.toFixed(2), Math.round(sql * 10) / 10, 0, ''),
    node('a node without code, 100 in a chain', engine.chain),
    node('a node without code, 97 side by side', engine.fan),
    delay('first text after the model’s first chunk', streams.firstText),
    delay('workflow_started after the request', streams.workflowStarted),
  ]
}
