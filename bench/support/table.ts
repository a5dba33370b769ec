import { TITLES } from './measure.ts'
import type { Spread } from './numbers.ts'
import type { Figures } from './report.ts'

type Line = { readonly what: string; readonly figure: string; readonly goal: string; readonly met: boolean | null }

const BEARER_GOAL = 0.6
const LIMITED_GOAL = 0.65
const PEER_GOAL = 2.5
const P99_GOAL = 2
const SCALE_GOAL = 1.2
const NODE_GOAL_MS = 5
const STREAM_GOAL_MS = 50
const PYTHON_GOAL_MS = 10
/** Twice the time a node would already be far from linear. */
const GROWTH_GOAL = 1.5
const HEALTH_GOAL_MS = 100
const SLOW_READER_GOAL_MB = 100

const GOALS: Readonly<Record<string, number>> = { bearer_get: BEARER_GOAL, limited: LIMITED_GOAL }

/** The figures as a Markdown table; false when a goal was missed. */
export function tableOf(figures: Figures): { readonly text: string; readonly allMet: boolean } {
  const lines = [
    ...figures.compared.flatMap(ratioLines),
    equalLoadLine(figures),
    ...scaleLines(figures),
    ...engineLines(figures),
  ]
  const rows = lines.map(({ what, figure, goal, met }) => {
    const verdict = met === null ? '' : `${goal}: ${met ? 'met' : 'missed'}`
    return `| ${what} | ${figure} | ${verdict} |`
  })
  const text = ['| | median (lowest…highest) | goal |', '|---|---|---|', ...rows].join('\n')
  return { text, allMet: lines.every(({ met }) => met !== false) }
}

function ratioLines({ name, sides, timesPeer }: Figures['compared'][number]): readonly Line[] {
  const lines: Line[] = []
  const title = TITLES[name]
  const ofBare = (where: string, ratio: Spread | undefined, goal?: number) => {
    if (ratio === undefined) return
    lines.push(atLeast(`${title}, ${where}`, `${spread(ratio, 2)} of bare Koa`, ratio.median, goal))
  }
  ofBare('Redis and PostgreSQL', sides.services?.ratio, GOALS[name])
  ofBare('memory', sides.memory?.ratio)
  ofBare('oidc-provider, memory', sides.peer?.ratio)
  const { memory, services, keyPair } = timesPeer
  if (memory) lines.push(atLeast(`${title}, memory`, `${spread(memory, 2)} × oidc-provider`, memory.median, PEER_GOAL))
  if (services) {
    lines.push(atLeast(`${title}, Redis and PostgreSQL`, `${spread(services, 2)} × oidc-provider`, services.median))
  }
  if (keyPair) {
    const what = `${title}: its key pair alone, by a bare Koa`
    lines.push(atLeast(what, `${spread(keyPair, 2)} × oidc-provider`, keyPair.median))
  }
  return lines
}

function equalLoadLine({ equalLoad: { perSecond, ratio, latchkey, bare } }: Figures): Line {
  const delays = `${latchkey.p99Ms.toFixed(1)} ms against ${bare.p99Ms.toFixed(1)} ms`
  const what = `p99 of ${TITLES.bearer_get}, ${perSecond} a second offered`
  return atMost(what, `${spread(ratio, 2)} × bare Koa (${delays})`, ratio.median, P99_GOAL)
}

function scaleLines({ scale: { tokens, costs } }: Figures): readonly Line[] {
  const [few, many] = tokens
  return costs.map(({ title, ratio, fewMs, manyMs }) => {
    const delays = `${manyMs.toFixed(2)} ms against ${fewMs.toFixed(2)} ms`
    return atMost(`${title}: ${many} tokens over ${few}`, `${spread(ratio, 2)} (${delays})`, ratio.median, SCALE_GOAL)
  })
}

function engineLines({ roundTrips, engine, streams, busy }: Figures): readonly Line[] {
  const { growth, python } = engine
  const grown = (what: string, factor: number) =>
    atMost(`${what}: a node of 200 over a node of 50`, factor.toFixed(2), factor, GROWTH_GOAL)
  const node = (what: string, ms: Spread) => atMost(what, `${spread(ms, 3)} ms`, ms.median, NODE_GOAL_MS, ' ms')
  const delay = (what: string, { median, p90 }: Figures['streams']['firstText']) =>
    atMost(what, `${median.toFixed(1)} ms, p90 ${p90.toFixed(1)} ms`, p90, STREAM_GOAL_MS, ' ms')
  const { redis, sql } = roundTrips
  return [
    atMost('warm bearer: Redis round trips a request', redis.toFixed(2), Math.round(redis * 10) / 10, 1),
    atMost('warm bearer: SQL round trips a request', sql.toFixed(2), Math.round(sql * 10) / 10, 0),
    node('a node without code, 100 in a chain', engine.chain),
    node('a node without code, 97 side by side', engine.fan),
    delay('first text after the model’s first chunk', streams.firstText),
    delay('workflow_started after the request', streams.workflowStarted),
    grown('a chain of nodes', growth.chain),
    grown('nodes side by side', growth.fan),
    atMost('a warm call of Python', `${python.p50Ms.toFixed(2)} ms`, python.p50Ms, PYTHON_GOAL_MS, ' ms'),
    healthLine(busy),
    slowReaderLine(busy),
  ]
}

function healthLine({ streams, framesPerSecond, health }: Figures['busy']): Line {
  const what = `p99 of /_health beside ${streams} streams of ${Math.round(framesPerSecond)} frames a second`
  return atMost(what, `${health.p99Ms.toFixed(1)} ms`, health.p99Ms, HEALTH_GOAL_MS, ' ms')
}

function slowReaderLine({ slowReader: { offeredMb, takenMb, grownMb } }: Figures['busy']): Line {
  const what = `memory for a reader that does not read, ${offeredMb} MB offered`
  return atMost(what, `${grownMb.toFixed(0)} MB (${takenMb.toFixed(0)} MB taken)`, grownMb, SLOW_READER_GOAL_MB, ' MB')
}

function atLeast(what: string, figure: string, value: number, goal?: number): Line {
  return { what, figure, goal: `≥ ${goal}`, met: goal === undefined ? null : value >= goal }
}

function atMost(what: string, figure: string, value: number, goal: number, unit = ''): Line {
  return { what, figure, goal: `≤ ${goal}${unit}`, met: value <= goal }
}

function spread({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}…${max.toFixed(digits)})`
}
