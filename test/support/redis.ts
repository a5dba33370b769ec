import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { openRedis, type RedisLink } from '#adapters/redis/open-redis.ts'
import type { Log } from '#application/ports/log.ts'
import { services } from './services.ts'

export type TestRedis = {
  readonly redis: RedisLink
  /** Another client of the same server, to look and meddle with. */
  readonly raw: Redis
  readonly url: string
  /** Fresh, so that tests share a server without cleaning up before. */
  readonly prefix: string
  /** Every key of this test. */
  keys(): Promise<string[]>
  /** Removes this test's keys, nothing else, and disconnects. */
  close(): Promise<void>
}

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }

/** A connection to the real Redis under a key prefix of its own. */
export async function openTestRedis(log: Log = silent): Promise<TestRedis> {
  const url = services.redis
  if (url === null) throw new Error('this test takes a Redis; wrap it in suiteFor("redis")')
  const prefix = `latchkey-test:${randomUUID()}:`
  const raw = new Redis(url)
  const redis = openRedis({ url, keyPrefix: prefix, log })
  await raw.ping()

  async function keys(): Promise<string[]> {
    const found: string[] = []
    for await (const batch of raw.scanStream({ match: `${prefix}*`, count: 1000 })) found.push(...batch)
    return found
  }

  return {
    redis,
    raw,
    url,
    prefix,
    keys,
    async close() {
      for (const key of await keys()) await raw.del(key)
      await redis.quit()
      await raw.quit()
    },
  }
}
