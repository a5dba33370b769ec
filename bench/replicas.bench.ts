import { cpus } from 'node:os'
import { bearerMeasures, tokensFor } from './support/bearer-measures.ts'
import { closeAll, closeLater } from './support/close-later.ts'
import { moveToLoadCore } from './support/cores.ts'
import { deployment, OWNER, setUpOwner, startLatchkey } from './support/latchkey.ts'
import { type Volley, volley } from './support/load.ts'
import { rounded, spreadOf } from './support/numbers.ts'
import type { ServerProcess } from './support/server-process.ts'
import { createTemporaryDatabase } from './support/temporary-database.ts'
import { writeResults } from './support/write-results.ts'

const ROUNDS = 6
const WARM_UP_ROUNDS = 2
const GOAL = 1.8
/** Two replicas, whoever makes the load, and the stores. */
const CORES = 4

type Round = { readonly alone: Volley; readonly together: readonly Volley[] }

/**
 * What a second replica adds. Requests a CPU second of both at once over those of one alone tell what sharing the
 * stores costs, on any machine; requests a second tell it only where each replica has a core.
 */
async function main(): Promise<void> {
  const database = closeLater(await createTemporaryDatabase(), ({ drop }) => drop())
  const { settings } = closeLater(await deployment(database.url), ({ close }) => close())
  const replicas: ServerProcess[] = []
  // Each has a core to itself, where there are as many.
  for (const core of [0, 2]) {
    replicas.push(closeLater(await startLatchkey(settings, cpus().length >= CORES ? core : 0), ({ stop }) => stop()))
  }
  const [first] = replicas
  if (first === undefined) throw new Error('no replica')
  await setUpOwner(first)
  const perReplica = tokensFor(2 * (ROUNDS + WARM_UP_ROUNDS))
  const tokens = await database.seedTokens(OWNER.email, replicas.length * perReplica)
  const measures = replicas.map(
    (replica, at) => bearerMeasures(replica, tokens.slice(at * perReplica, (at + 1) * perReplica)).bearer_get,
  )
  const fire = async (at: number) => {
    const [replica, measure] = [replicas[at], measures[at]]
    if (replica === undefined || measure === undefined) throw new Error('no such replica')
    await measure.prepare?.()
    return () => volley(replica, measure.load())
  }
  const rounds: Round[] = []
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    const alone = await (await fire(0))()
    const both = [await fire(0), await fire(1)]
    const together = await Promise.all(both.map((shoot) => shoot()))
    if (round >= WARM_UP_ROUNDS) rounds.push({ alone, together })
  }
  report(rounds)
}

function report(rounds: readonly Round[]): void {
  const total = (all: readonly Volley[], pick: (one: Volley) => number) => all.reduce((sum, one) => sum + pick(one), 0)
  const byCpu = spreadOf(
    rounds.map(({ alone, together }) => {
      const both = total(together, (one) => one.requests) / total(together, (one) => one.cpuSeconds)
      return (2 * both) / alone.perCpuSecond
    }),
  )
  const bySecond = spreadOf(
    rounds.map(({ alone, together }) => total(together, (one) => one.perSecond) / alone.perSecond),
  )
  const cores = cpus().length
  const hasCores = cores >= CORES
  const results = {
    by_cpu: { median: rounded(byCpu.median, 2), min: rounded(byCpu.min, 2), max: rounded(byCpu.max, 2) },
    by_second: { median: rounded(bySecond.median, 2), min: rounded(bySecond.min, 2), max: rounded(bySecond.max, 2) },
    goal: GOAL,
    cores,
    judged: hasCores ? 'by_second' : `by_cpu: ${cores} cores are too few for two replicas, their load and the stores`,
    met: (hasCores ? bySecond : byCpu).median >= GOAL,
  }
  writeResults('replicas', results)
  if (!results.met) process.exitCode = 1
}

moveToLoadCore()
try {
  await main()
} finally {
  await closeAll()
}
