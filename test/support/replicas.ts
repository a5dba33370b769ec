import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { openPostgres } from '#adapters/postgres/open-orm.ts'
import { CHILD_ENV } from './child-env.ts'
import { createDatabase } from './databases.ts'
import { dumpDatabase, dumpRedis } from './dump.ts'
import { expectNothingHandedOut } from './handed-out.ts'
import { type ServerProcess, spawnLatchkey, startServer } from './server-process.ts'
import { services, suiteWhere } from './services.ts'
import { OWNER } from './world.ts'

/** One of the servers that share stores. */
export type Replica = ServerProcess

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
    ...CHILD_ENV,
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
  return {
    databaseUrl,
    redisUrl,
    prefix,
    async start(env) {
      const replica = await startServer(home, { ...shared, ...env })
      running.add(replica)
      return replica
    },
    async command(words, stdin = '') {
      const child = spawnLatchkey(words, home, shared)
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
