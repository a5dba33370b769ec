import { Redis } from 'ioredis'
import { dumpRedis } from './dump.ts'
import { expectNothingHandedOut } from './handed-out.ts'
import { services } from './services.ts'

/** What tests put before their keys. */
const PREFIX = 'latchkey-test:'

/**
 * After the last test of a suite: what its servers left in the Redis that they shared is searched for everything they
 * handed out. Each world and each process was searched when it was closed, before its database was dropped.
 */
export async function lookOnceMore(): Promise<void> {
  if (services.redis === null) return
  const redis = new Redis(services.redis)
  try {
    expectNothingHandedOut('Redis', await dumpRedis(redis, PREFIX))
  } finally {
    redis.disconnect()
  }
}
