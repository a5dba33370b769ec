import type { CuttingProxy } from '../support/cutting-proxy.ts'
import type { OwnPostgres } from '../support/own-services.ts'
import type { Pool } from './pool.ts'
import type { Random } from './random.ts'
import { promote, type RedisPair } from './redis-pair.ts'

/** What faults happen to. */
export type Stage = {
  readonly pool: Pool
  readonly redis: RedisPair
  readonly redisProxy: CuttingProxy
  readonly postgres: OwnPostgres
  readonly postgresProxy: CuttingProxy
}

export type Fault = {
  /** Whether replicas may be unable to tell each other of a revoke meanwhile. */
  readonly hitsCache: boolean
  /** Does it, holds it for a while, and puts it right again. */
  readonly happen: (stage: Stage, random: Random) => Promise<void>
}

const hold = (random: Random, fromMs: number, toMs: number) =>
  new Promise((resolve) => setTimeout(resolve, fromMs + random.unit() * (toMs - fromMs)))

/** Everything that goes wrong, by name. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'kill -9 of a replica': {
    // A revoke that its replica could not tell the cache dies with it.
    hitsCache: true,
    happen: async ({ pool }, random) => pool.replace(random.below(pool.size()), 'SIGKILL'),
  },
  'SIGTERM of a replica': {
    hitsCache: false,
    happen: async ({ pool }, random) => pool.replace(random.below(pool.size()), 'SIGTERM'),
  },
  'Redis restarted, empty': {
    hitsCache: true,
    happen: async ({ redis }, random) => redis.restart(300 + 700 * random.unit()),
  },
  'Redis paused': {
    hitsCache: true,
    async happen({ redis }, random) {
      const paused = redis.primary()
      paused.pause()
      await hold(random, 500, 2500)
      paused.resume()
    },
  },
  'Redis flushed, scripts too': { hitsCache: true, happen: ({ redis }) => redis.flush() },
  'Redis failed over to its copy': { hitsCache: true, happen: ({ redis, redisProxy }) => promote(redis, redisProxy) },
  'Redis connections dropped': {
    hitsCache: true,
    async happen({ redisProxy }) {
      redisProxy.drop()
    },
  },
  'Redis slow': {
    hitsCache: true,
    async happen({ redisProxy }, random) {
      redisProxy.delay(20 + 1200 * random.unit())
      await hold(random, 1000, 2000)
      redisProxy.delay(0)
    },
  },
  'Redis cut off': {
    hitsCache: true,
    async happen({ redisProxy }, random) {
      await redisProxy.cut()
      await hold(random, 300, 1500)
      await redisProxy.mend()
    },
  },
  'PostgreSQL crashed and recovered': {
    hitsCache: false,
    async happen({ postgres }, random) {
      postgres.stop()
      await hold(random, 300, 1000)
      postgres.start()
    },
  },
  'PostgreSQL paused': {
    hitsCache: false,
    async happen({ postgresProxy }, random) {
      postgresProxy.stall()
      await hold(random, 500, 2500)
      postgresProxy.flow()
    },
  },
  'PostgreSQL connections dropped': {
    hitsCache: false,
    async happen({ postgresProxy }) {
      postgresProxy.drop()
    },
  },
  'PostgreSQL slow': {
    hitsCache: false,
    async happen({ postgresProxy }, random) {
      postgresProxy.delay(20 + 200 * random.unit())
      await hold(random, 1000, 2000)
      postgresProxy.delay(0)
    },
  },
  'the clock of a replica stepped': {
    hitsCache: false,
    async happen({ pool }, random) {
      const at = random.below(pool.size())
      pool.stepClock(at)
      await hold(random, 1000, 2000)
      pool.stepClock(at)
    },
  },
}
