import { parseArgs } from 'node:util'
import { FAULTS } from './faults.ts'
import { seededRandom } from './random.ts'
import { soak } from './soak.ts'

/** `npm run soak -- --minutes M --seed S`: the long form; exits 1 and names the seed when a promise was broken. */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    replicas: { type: 'string', default: '3' },
    devices: { type: 'string', default: '24' },
    /** Only this one, again and again. */
    fault: { type: 'string' },
  },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed ?? Date.now() % 2 ** 31)
if (!(minutes > 0) || !Number.isInteger(seed)) throw new Error('--minutes is a positive number, --seed a whole one')

const untilMs = performance.now() + minutes * 60_000
const tell = (line: string) => process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`)

function* endless(): Generator<string> {
  const random = seededRandom(seed)
  for (;;) yield values.fault ?? random.pick(Object.keys(FAULTS))
}

tell(`seed ${seed}, ${minutes} minutes`)
const { violations, requests, faults, faultLines } = await soak({
  seed,
  replicas: Number(values.replicas),
  devices: Number(values.devices),
  faults: endless(),
  isOver: () => performance.now() > untilMs,
  progress: tell,
})
tell(`requests ${JSON.stringify(requests, null, 2)}`)
tell(`faults ${JSON.stringify(faults, null, 2)}`)
for (const line of faultLines) tell(`FAULT ${line}`)
for (const violation of violations) tell(`VIOLATION ${violation}`)
tell(`${violations.length} violations, seed ${seed}`)
// Kept-alive connections of `fetch` would hold the process for some seconds more.
process.exit(violations.length > 0 ? 1 : 0)
