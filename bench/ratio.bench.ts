import { fileURLToPath } from 'node:url'
import { freePort } from './support/free-port.ts'
import { type Volley, volley } from './support/load.ts'
import type { Measure } from './support/measure.ts'
import { answerOf, bareLoad } from './support/measures.ts'
import { type Spread, spreadOf } from './support/numbers.ts'
import { type ServerProcess, startServer } from './support/server-process.ts'

export type Compared = {
  readonly name: Measure['name']
  readonly title: string
  /** Latchkey's requests per CPU second over bare Koa's, of each round. */
  readonly ratio: Spread
  readonly latchkey: Side
  readonly bare: Side
}

type Side = { readonly perCpuSecond: number; readonly perSecond: number; readonly p99Ms: number }

/** Rounds before those that count. */
export const WARM_UP_ROUNDS = 3

const BARE = fileURLToPath(new URL('support/bare-koa.ts', import.meta.url))

/**
 * Puts every measure to a bare Koa and to Latchkey in turn, `rounds` times, so that whatever else the machine does
 * meets both alike. The first rounds are thrown away: a server that has run for less than ten seconds is still being
 * compiled, the larger the longer.
 */
export async function compare(
  latchkey: ServerProcess,
  measures: readonly Measure[],
  rounds: number,
): Promise<readonly Compared[]> {
  const answers = []
  for (const measure of measures) answers.push(await answerOf(latchkey, measure))
  const bare = await startServer([BARE], await freePort(), '/', { BARE_ANSWERS: JSON.stringify(answers) })
  const pairs = measures.map(() => [] as { bare: Volley; latchkey: Volley }[])
  try {
    for (let round = 1 - WARM_UP_ROUNDS; round <= rounds; round++) {
      for (const [at, measure] of measures.entries()) {
        await measure.prepare?.()
        const load = measure.load()
        const pair = {
          bare: await volley(bare, bareLoad(load, measure)),
          latchkey: await volley(latchkey, load),
        }
        if (round > 0) pairs[at]?.push(pair)
      }
    }
  } finally {
    await bare.stop()
  }
  return measures.map(({ name, title }, at) => {
    const measured = pairs[at] ?? []
    return {
      name,
      title,
      ratio: spreadOf(measured.map((pair) => pair.latchkey.perCpuSecond / pair.bare.perCpuSecond)),
      latchkey: sideOf(measured.map((pair) => pair.latchkey)),
      bare: sideOf(measured.map((pair) => pair.bare)),
    }
  })
}

function sideOf(volleys: readonly Volley[]): Side {
  const median = (pick: (one: Volley) => number) => spreadOf(volleys.map(pick)).median
  return {
    perCpuSecond: median((one) => one.perCpuSecond),
    perSecond: median((one) => one.perSecond),
    p99Ms: median((one) => one.p99Ms),
  }
}
