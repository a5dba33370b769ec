import { parseArgs } from 'node:util'
import { fuzz } from './fuzz.ts'

/** `npm run fuzz -- --count N --seed S`: the long form; exits 1 when an answer was wrong or memory was kept. */
const { values } = parseArgs({ options: { count: { type: 'string', default: '100000' }, seed: { type: 'string' } } })
const count = Number(values.count)
const seed = Number(values.seed ?? Date.now() % 2 ** 31)
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed))
  throw new Error('--count and --seed are whole numbers')

/** What a hundred thousand requests may leave behind: runs, conversations and audit rows of those that were good. */
const MAX_KIB_A_SUCCESS = 16
const MAX_GROWN_MIB = 32

const startedAtMs = performance.now()
const { statuses, findings, grownMiB, reached, operations } = await fuzz({
  count,
  seed,
  progress: (done) => {
    if (done % 5000 < 250) process.stdout.write(`${done} of ${count} after ${seconds()} s\n`)
  },
})

function seconds(): string {
  return ((performance.now() - startedAtMs) / 1000).toFixed(0)
}

const succeeded = Object.entries(statuses).reduce((sum, [status, times]) => sum + (Number(status) < 400 ? times : 0), 0)
const allowedMiB = MAX_GROWN_MIB + (MAX_KIB_A_SUCCESS * succeeded) / 2 / 1024
const isKept = grownMiB > allowedMiB
process.stdout.write(`
seed ${seed}: ${count} requests in ${seconds()} s
statuses ${JSON.stringify(statuses)}
memory ${grownMiB.toFixed(1)} MiB over the second half, ${allowedMiB.toFixed(1)} MiB allowed
${reached.length} of ${operations.length} operations succeeded; never: ${operations.filter((one) => !reached.includes(one)).join(', ') || 'none'}
${findings.length} findings${findings.map((finding) => `\n\n${finding}`).join('')}
`)
process.exitCode = findings.length > 0 || isKept ? 1 : 0
