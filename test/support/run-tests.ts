import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Totals } from './run-suite.ts'
import { FOUND_SERVICES, services } from './services.ts'

/**
 * `npm test`: the checks, then one mocha process a folder of `test/`, two at a time, so that a suite that leaks or crashes cannot hide
 * behind another. Words on the command line choose folders. The last line is the sum, alone.
 */
const ROOT = join(import.meta.dirname, '../..')
/** The longest first: what is short fits in beside it. */
const ORDER = ['check', 'integration', 'unit', 'fence', 'http', 'e2e', 'browser']
const AT_ONCE = 2
/** Some hundred processes load the same modules. */
const COMPILED = mkdtempSync(join(tmpdir(), 'latchkey-compiled-'))
/** A suite that has reported and still runs has left something open; an operator would see a hanging stop. */
const LINGER_MS = 15_000

function group(): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const file of globSync('test/**/*.test.ts', { cwd: ROOT }).toSorted()) {
    const [, folder = '', ...rest] = file.split('/')
    const name = rest.length === 0 ? folder.replace('.test.ts', '') : folder
    groups.set(name, [...(groups.get(name) ?? []), join(ROOT, file)])
  }
  return groups
}

/** What a process says, shown whole when it has ended: two at once would mix their lines. */
function quote(child: ChildProcess): () => void {
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => said.push(part))
  return () => process.stdout.write(Buffer.concat(said))
}

async function check(): Promise<Totals> {
  const child = spawn('npm', ['run', '--silent', 'check'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  const show = quote(child)
  const [code] = await once(child, 'close')
  heading('check')
  show()
  return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 }
}

function heading(name: string): void {
  process.stdout.write(`\n== ${name}\n`)
}

/** What a person's shell points at must not leak into the servers that tests start. */
function environment(): NodeJS.ProcessEnv {
  const { DATABASE_URL: _database, REDIS_URL: _redis, ...rest } = process.env
  return { ...rest, NODE_COMPILE_CACHE: COMPILED, [FOUND_SERVICES]: JSON.stringify(services) }
}

async function runSuite(name: string, files: readonly string[]): Promise<Totals> {
  if (files.length === 0) throw new Error(`no tests in test/${name}`)
  const child = fork(join(import.meta.dirname, 'run-suite.ts'), files, { cwd: ROOT, env: environment(), silent: true })
  const show = quote(child)
  const stop = () => child.kill('SIGTERM')
  process.once('exit', stop)
  let totals: Totals | null = null
  let linger: NodeJS.Timeout | undefined
  child.once('message', (message) => {
    totals = message as Totals // the only message that run-suite.ts sends
    linger = setTimeout(() => child.kill('SIGKILL'), LINGER_MS)
  })
  const [code, signal] = await new Promise<[number | null, string | null]>((ended) => {
    child.once('close', (...how) => ended(how))
  })
  clearTimeout(linger)
  process.off('exit', stop)
  heading(name)
  show()
  const { passed, failed, skipped } = judge(totals, code, signal)
  process.stdout.write(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped\n`)
  return { passed, failed, skipped }
}

/** A process that died without a word, or would not end, is a failure that no test counted. */
function judge(totals: Totals | null, code: number | null, signal: string | null): Totals {
  if (totals === null) {
    process.stderr.write(`\n*** the suite ended early (${signal ?? code}) ***\n`)
    return { passed: 0, failed: 1, skipped: 0 }
  }
  if (signal === null && (code === 0 || totals.failed > 0)) return totals
  process.stderr.write(`\n*** the suite left something open or broke after its end (${signal ?? code}) ***\n`)
  return { ...totals, failed: totals.failed + 1 }
}

process.once('exit', () => rmSync(COMPILED, { recursive: true, force: true }))
process.once('SIGTERM', () => process.exit(1))
const groups = group()
const known = [...new Set([...ORDER, ...groups.keys()])].filter((name) => name === 'check' || groups.has(name))
const asked = process.argv.slice(2)
const sum = { passed: 0, failed: 0, skipped: 0 }
const waiting = asked.length === 0 ? [...known] : [...asked]

/** Takes one suite after the other until none is left. */
async function work(): Promise<void> {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const { passed, failed, skipped } = name === 'check' ? await check() : await runSuite(name, groups.get(name) ?? [])
    sum.passed += passed
    sum.failed += failed
    sum.skipped += skipped
  }
}
// Each waits for clocks, browsers and other processes more than it computes.
await Promise.all(Array.from({ length: Math.min(AT_ONCE, availableParallelism()) }, work))

const ranNothing = sum.passed + sum.failed === 0 && (asked.length === 0 || asked.some((name) => name !== 'check'))
process.exitCode = sum.failed > 0 || ranNothing ? 1 : 0
process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`)
