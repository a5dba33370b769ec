import { Redis } from 'ioredis'
import type { CuttingProxy } from '../support/cutting-proxy.ts'
import { type OwnRedis, openOwnRedis } from '../support/own-redis.ts'

/** A Redis that everybody uses through a proxy, and one that copies it. */
export type RedisPair = {
  readonly primary: () => OwnRedis
  /** Waits until the copy has everything, makes it the primary, leads the proxy there and replaces the old one. */
  failOver(): Promise<void>
  /** Forgets everything, and every script. */
  flush(): Promise<void>
  /** Stops the primary; an empty one comes back in its place. */
  restart(awayMs: number): Promise<void>
  close(): Promise<void>
}

const SYNC_MS = 15_000

export async function openRedisPair(): Promise<RedisPair> {
  let [primary, standby] = await Promise.all([openOwnRedis(), openOwnRedis()])
  await follow(standby, primary)
  return {
    primary: () => primary,
    async failOver() {
      await inStep(standby, primary)
      await command(standby, 'REPLICAOF', 'NO', 'ONE')
      const old = primary
      ;[primary, standby] = [standby, old]
      await old.stop()
      await old.start()
      await follow(old, primary)
    },
    async flush() {
      await command(primary, 'FLUSHALL')
      await command(primary, 'SCRIPT', 'FLUSH')
    },
    async restart(awayMs) {
      await primary.stop()
      await new Promise((resolve) => setTimeout(resolve, awayMs))
      await primary.start()
    },
    async close() {
      await Promise.all([primary.stop(), standby.stop()])
    },
  }
}

/** As a promotion by an operator or a sentinel does it: nothing goes in while the copy catches up. */
export async function promote(pair: RedisPair, proxy: CuttingProxy): Promise<void> {
  proxy.stall()
  try {
    await pair.failOver()
    proxy.aim(pair.primary().url)
  } finally {
    // What was kept back is lost with the connections it came on.
    proxy.drop()
    proxy.flow()
  }
}

async function follow(copy: OwnRedis, primary: OwnRedis): Promise<void> {
  const { hostname, port } = new URL(primary.url)
  await command(copy, 'REPLICAOF', hostname, port)
  await inStep(copy, primary)
}

async function inStep(copy: OwnRedis, primary: OwnRedis): Promise<void> {
  const untilMs = Date.now() + SYNC_MS
  for (;;) {
    const [there, here] = [await offsetOf(copy), await offsetOf(primary)]
    if (there.isLinked && there.offset === here.offset) return
    if (Date.now() > untilMs) throw new Error('the copy does not catch up')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function offsetOf(redis: OwnRedis): Promise<{ isLinked: boolean; offset: string }> {
  const info = String(await command(redis, 'INFO', 'replication'))
  const field = (name: string) => new RegExp(`${name}:(\\S+)`).exec(info)?.[1] ?? ''
  const isReplica = field('role') === 'slave'
  return {
    isLinked: field('master_link_status') === 'up',
    offset: field(isReplica ? 'slave_repl_offset' : 'master_repl_offset'),
  }
}

async function command(redis: OwnRedis, name: string, ...words: readonly string[]): Promise<unknown> {
  const client = new Redis(redis.url, { maxRetriesPerRequest: 1 }).on('error', () => {})
  try {
    return await client.call(name, ...words)
  } finally {
    client.disconnect()
  }
}
