import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import { openPostgres } from '#adapters/postgres/open-orm.ts'
import { createDatabase } from './databases.ts'
import { dumpDatabase, dumpRedis } from './dump.ts'
import { expectNothingHandedOut } from './handed-out.ts'
import { looksSecret } from './secret-free-log.ts'
import { services, suiteWhere } from './services.ts'
import { type Visitor, visitorOf } from './visitor.ts'
import { OWNER } from './world.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
/** Ten of them start on two cores in the worst suite. */
const START_MS = 30_000
const PINO_ERROR = 50
const MAX_LINES = 10_000
const SCRAPE_MS = 5_000

export type Ended = { readonly code: number | null; readonly signal: string | null; readonly tookMs: number }

/** One server process, as an operator starts it. */
export type Replica = Visitor & {
  readonly url: string
  readonly pid: number
  /** What it complained of so far: the messages of its error lines, and all of standard error. */
  readonly faults: string[]
  /** All that it wrote, the newest ten thousand lines. */
  readonly lines: string[]
  /** Resolves when a log line of any level with this message has been written. */
  logged(message: string): Promise<void>
  /** Signals this very process and waits for its end. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<Ended>
}

export type Replicas = {
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly prefix: string
  /** One more; `env` goes over what all share, to lead this one through a proxy. */
  start(env?: Readonly<Record<string, string>>): Promise<Replica>
  /** Runs `latchkey WORDS` on the same stores; the exit status. */
  command(words: readonly string[], stdin?: string): Promise<number | null>
  /** Kills what still runs and drops the database; keys end by themselves. */
  close(): Promise<void>
}

/** Where server processes can share stores; both are needed. */
export const replicaSuite = suiteWhere(services.postgres !== null && services.redis !== null)

/** The place that server processes share: a database and a key prefix of their own, nobody set up yet. */
export async function openReplicas(
  given: { databaseUrl?: string; redisUrl?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Replicas> {
  const database = given.databaseUrl === undefined ? await createDatabase() : null
  const databaseUrl = given.databaseUrl ?? database?.url ?? ''
  const redisUrl = given.redisUrl ?? services.redis ?? ''
  const prefix = `latchkey-test:${randomUUID()}:`
  const home = await mkdtemp(join(tmpdir(), 'latchkey-replicas-'))
  const running = new Set<Replica>()
  const shared = {
    PATH: process.env.PATH ?? '',
    PORT: '0',
    METRICS_PORT: '0',
    DATA_DIR: home,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    REDIS_KEY_PREFIX: prefix,
    SECRET_KEY: 'r'.repeat(32),
    OPENAPI_RATE_LIMIT_PER_TOKEN: '0',
    DEVICE_FLOW_APPROVE_RATE_LIMIT_PER_HOUR: '0',
    TRUSTED_PROXIES: '127.0.0.1/32',
    ...given.env,
  }
  // Its folder holds no .env of a developer's.
  const latchkey = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    spawn(process.execPath, [MAIN, ...words], { cwd: home, env: { ...shared, ...env } })

  return {
    databaseUrl,
    redisUrl,
    prefix,
    async start(env) {
      const replica = await startReplica(latchkey(['serve'], env))
      running.add(replica)
      return replica
    },
    async command(words, stdin = '') {
      const child = latchkey(words)
      child.stdout.resume()
      child.stderr.resume()
      child.stdin.end(stdin)
      const [code] = await once(child, 'close')
      return code
    },
    async close() {
      const ends = await Promise.allSettled([...running].map((replica) => replica.stop('SIGKILL')))
      const dumps = database === null ? null : await dumpStores(databaseUrl, given.redisUrl ?? null, prefix)
      await database?.drop()
      await rm(home, { recursive: true, force: true })
      for (const end of ends) if (end.status === 'rejected') throw end.reason
      for (const [place, dump] of Object.entries(dumps ?? {})) expectNothingHandedOut(place, dump)
    },
  }
}

/** What is left in stores that nobody took away: a Redis of a test's own may be gone by now. */
async function dumpStores(
  databaseUrl: string,
  ownRedisUrl: string | null,
  prefix: string,
): Promise<Record<string, string>> {
  const orm = await openPostgres({ url: databaseUrl })
  const redis = ownRedisUrl === null && services.redis !== null ? new Redis(services.redis) : null
  try {
    return {
      'the database': await dumpDatabase(orm),
      Redis: redis === null ? '' : await dumpRedis(redis, prefix),
    }
  } finally {
    redis?.disconnect()
    await orm.close()
  }
}

/** Makes the first account at one of them. */
export async function setUp(replica: Replica): Promise<void> {
  const { status, text } = await replica.post('/console/api/setup', { json: OWNER })
  if (status !== 201) throw new Error(`set-up answered ${status}: ${text}`)
}

// One listener a server that runs, and ten run at once.
process.setMaxListeners(50)

async function startReplica(child: ChildProcess): Promise<Replica> {
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
  if (stdout === null || stderr === null || pid === undefined) throw new Error('the server could not be spawned')
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
