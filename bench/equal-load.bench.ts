import { bareLoad, barePath } from './ratio.bench.ts'
import type { Contestant } from './support/measure.ts'
import { type Spread, spreadOf } from './support/numbers.ts'
import { type Delays, offer, openPool } from './support/open-loop.ts'
import type { ServerProcess } from './support/server-process.ts'

export type EqualLoad = {
  readonly perSecond: number
  /** Latchkey's 99th percentile over bare Koa's, of each slice. */
  readonly ratio: Spread
  readonly latchkey: Delays
  readonly bare: Delays
}

/** A quarter of what Latchkey answers when it is asked for all it can, so that neither server is full. */
const REQUESTS_A_SECOND = 2_000
/** Short and many: what else the machine does spoils some slices instead of all, and the median leaves those out. */
const SLICE_S = 0.5
const SLICES = 16

/** How long the slowest hundredth of warm bearers waits when both servers are asked equally often. */
export async function measureEqualLoad(bare: ServerProcess, { server, measures }: Contestant): Promise<EqualLoad> {
  const pools = { bare: openPool(bare.origin), latchkey: openPool(server.origin) }
  const pairs: { readonly bare: Delays; readonly latchkey: Delays }[] = []
  await measures.bearer_get.prepare?.()
  const load = measures.bearer_get.load()
  for (let slice = 0; slice <= SLICES; slice++) {
    const pair = {
      bare: await offer(pools.bare, bareLoad(load, barePath('bearer_get')), REQUESTS_A_SECOND, SLICE_S),
      latchkey: await offer(pools.latchkey, load, REQUESTS_A_SECOND, SLICE_S),
    }
    // The first opens the connections.
    if (slice > 0) pairs.push(pair)
  }
  await Promise.all([pools.bare.destroy(), pools.latchkey.destroy()])
  const median = (pick: (pair: (typeof pairs)[number]) => number) => spreadOf(pairs.map(pick)).median
  return {
    perSecond: REQUESTS_A_SECOND,
    ratio: spreadOf(pairs.map((pair) => pair.latchkey.p99Ms / pair.bare.p99Ms)),
    latchkey: { p50Ms: median((pair) => pair.latchkey.p50Ms), p99Ms: median((pair) => pair.latchkey.p99Ms) },
    bare: { p50Ms: median((pair) => pair.bare.p50Ms), p99Ms: median((pair) => pair.bare.p99Ms) },
  }
}
