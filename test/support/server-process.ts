import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CHILD_ENV } from './child-env.ts'
import { expectNothingHandedOut } from './handed-out.ts'
import { looksSecret } from './secret-free-log.ts'
import { type Visitor, visitorOf } from './visitor.ts'
import { OWNER } from './world.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
/** Ten of them start on two cores in the worst suite. */
const START_MS = 30_000
const PINO_ERROR = 50
const MAX_LINES = 10_000
const SCRAPE_MS = 5_000

type Variables = Readonly<Record<string, string>>

export type Ended = { readonly code: number | null; readonly signal: string | null; readonly tookMs: number }

/** One server process, as an operator starts it. */
export type ServerProcess = Visitor & {
  readonly url: string
  readonly pid: number
  /** What it complained of so far: the messages of its error lines, and all of standard error. */
  readonly faults: string[]
  /** All that it wrote, the newest ten thousand lines. */
  readonly lines: string[]
  /** Where its metrics are, once it has said so. */
  metricsUrl(): string | null
  /** Resolves when a log line of any level with this message has been written. */
  logged(message: string): Promise<void>
  /** Signals this very process and waits for its end. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<Ended>
}

// One listener a server that runs, and ten run at once.
process.setMaxListeners(50)

/** Runs `latchkey WORDS` in `home`, with these variables and no others. */
export function spawnLatchkey(words: readonly string[], home: string, env: Variables): ChildProcessWithoutNullStreams {
  // The folder holds no .env of a developer's.
  return spawn(process.execPath, [MAIN, ...words], { cwd: home, env: { ...CHILD_ENV, ...env } })
}

/** Starts a server in `home`, and searches what it writes for secrets until it has ended. */
export async function startServer(home: string, env: Variables): Promise<ServerProcess> {
  const child = spawnLatchkey(['serve'], home, env)
  const faults: string[] = []
  const leaks: string[] = []
  const lines: string[] = []
  let metricsUrl: string | null = null
  let isSearched = false
  const keep = (line: string) => {
    lines.push(line)
    if (lines.length > MAX_LINES) lines.shift()
  }
  const messages = new Set<string>()
  const { stdout, stderr, pid } = child
  if (pid === undefined) throw new Error('the server could not be spawned')
  // Whoever ends this process by a signal or a crash must not leave servers behind.
  const killAtExit = () => child.kill('SIGKILL')
  process.once('exit', killAtExit)
  const ended = once(child, 'exit').finally(() => process.off('exit', killAtExit))
  createInterface(stderr).on('line', (line) => {
    faults.push(line)
    keep(line)
    if (looksSecret(line)) leaks.push(line.slice(0, 80))
  })

  let serves: (url: string) => void = () => {}
  const url = new Promise<string>((resolve) => {
    serves = resolve
  })
  createInterface(stdout).on('line', (line) => {
    keep(line)
    if (looksSecret(line)) leaks.push(line.slice(0, 80))
    const address = /^Latchkey serves at (\S+)$/.exec(line)?.[1]
    if (address !== undefined) serves(address)
    if (!line.startsWith('{')) return
    const { level, msg, url: told } = JSON.parse(line)
    if (msg === 'metrics') metricsUrl = told
    if (level >= PINO_ERROR) faults.push(msg)
    messages.add(msg)
    child.emit('line')
  })
  const died = ended.then(() => {
    throw new Error(`the server ended before it served: ${faults.join('\n')}`)
  })
  died.catch(() => {}) // every server ends at last
  const address = await Promise.race([url, died, overdue('the server does not serve')])

  return {
    ...visitorOf(address, OWNER),
    url: address,
    pid,
    faults,
    lines,
    metricsUrl: () => metricsUrl,
    async logged(message) {
      const deadline = AbortSignal.timeout(START_MS)
      while (!messages.has(message)) await once(child, 'line', { signal: deadline })
    },
    async stop(signal = 'SIGTERM') {
      if (signal === 'SIGTERM' && metricsUrl !== null) {
        const page = await fetch(metricsUrl, { signal: AbortSignal.timeout(SCRAPE_MS) }).then((reply) => reply.text())
        expectNothingHandedOut('metrics', page)
      }
      const startedAtMs = performance.now()
      child.kill(signal)
      const [code, by] = await ended
      const unsearched = isSearched ? '' : lines.join('\n')
      isSearched = true
      expectNothingHandedOut('the log', unsearched)
      // E17, for real processes.
      if (leaks.length > 0) throw new Error(`the log holds what looks like a secret: ${leaks.join('\n')}`)
      return { code, signal: by, tookMs: performance.now() - startedAtMs }
    },
  }
}

async function overdue(what: string): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, START_MS).unref())
  throw new Error(what)
}
