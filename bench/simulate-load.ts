import { parseArgs } from 'node:util'
import { loadTable, simulate } from './support/simulated-load.ts'

/** Prints the table of docs/scale.md: what callers of three kinds cost Redis and PostgreSQL, by simulation. */
const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, rate: { type: 'string', default: '100000' } },
})
const [seed, rate] = [Number(values.seed), Number(values.rate)]
if (!Number.isInteger(seed) || !(rate >= 1000 && rate <= 10_000_000)) {
  console.error('--seed must be a whole number, --rate requests a second from 1000 to 10000000')
  process.exit(2)
}
console.log(loadTable(simulate(seed), rate))
