import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

// One after the other: two benchmarks at once would measure each other.
const BENCHES = ['latchkey', 'routes', 'connections', 'replicas', 'better-auth', 'join', 'upload', 'upstream']

const missed = BENCHES.filter((name) => {
  console.log(`\n## ${name}\n`)
  const script = fileURLToPath(new URL(`${name}.bench.ts`, import.meta.url))
  return spawnSync(process.execPath, [script], { stdio: 'inherit' }).status !== 0
})
console.log(missed.length === 0 ? '\nevery goal met' : `\nmissed or failed: ${missed.join(', ')}`)
if (missed.length > 0) process.exitCode = 1
