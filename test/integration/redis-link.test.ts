import { once } from 'node:events'
import type { Socket } from 'node:net'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { openRedis } from '#adapters/redis/open-redis.ts'
import { createRedisRateLimiter } from '#adapters/redis/rate-limiter.ts'
import { createRedisTokenCache } from '#adapters/redis/token-cache.ts'
import { DomainError } from '#domain/errors.ts'
import { NOW_MS } from '../support/builders.ts'
import { aContext } from '../support/contexts.ts'
import { openCuttingProxy } from '../support/cutting-proxy.ts'
import { openTestRedis } from '../support/redis.ts'
import { suiteFor } from '../support/services.ts'
import { countWrites } from '../support/socket-writes.ts'

/** What a command came to, and how long that took. */
async function timed(work: Promise<unknown>): Promise<{ outcome: unknown; tookMs: number }> {
  const startMs = performance.now()
  const outcome = await work.catch((error: unknown) => error)
  return { outcome, tookMs: performance.now() - startMs }
}

function expectOutage(outcome: unknown): void {
  expect(outcome).to.be.instanceOf(DomainError).with.property('code', 'service_unavailable')
  expect((outcome as Error).cause).to.be.instanceOf(Error)
}

function recorder() {
  const lines: string[] = []
  const at = (level: string) => (message: string) => void lines.push(`${level}: ${message}`)
  return { lines, log: { info: at('info'), warn: at('warn'), error: at('error') } }
}

suiteFor('redis')('Redis link', () => {
  it('B15 limits and the cache read of a request leave in one write', async () => {
    const { redis, prefix, close } = await openTestRedis()
    const limiter = createRedisRateLimiter(redis, { prefix })
    const context = aContext()
    await createRedisTokenCache(redis, { prefix, now: () => NOW_MS }).put(context.tokenHash, context)
    const buckets = ['a', 'b'].map((key) => ({ key, limit: 60, windowMs: 60_000 }))
    const ask = () => limiter.admit(buckets, context.tokenHash)
    await ask()
    // `stream` is the connection's socket; the client's types keep it to themselves.
    const { stream } = redis.client as unknown as { stream: Socket }
    const written = stream.bytesWritten
    const writes = countWrites(stream)
    const { cached, retryAfterMs } = await ask()
    expect(cached.kind).to.equal('hit')
    expect(retryAfterMs).to.equal(null)
    expect(writes.count()).to.equal(1)
    expect(stream.bytesWritten).to.be.above(written)
    writes.stop()
    await close()
  })

  it('B15 calls of one turn travel together, and each gets the verdict and the entry of its own token', async () => {
    const { redis, prefix, close } = await openTestRedis()
    const limiter = createRedisRateLimiter(redis, { prefix })
    const contexts = Array.from({ length: 50 }, (_, at) => ({ ...aContext(), tokenHash: `token-${at}` }))
    const cache = createRedisTokenCache(redis, { prefix, now: () => NOW_MS })
    await Promise.all(contexts.map((context) => cache.put(context.tokenHash, context)))
    const ask = () =>
      Promise.all(
        contexts.map(({ tokenHash }, at) =>
          limiter.admit([{ key: `bearer:${tokenHash}`, limit: 1 + (at % 2), windowMs: 60_000 }], tokenHash),
        ),
      )
    await ask()
    const { asked } = redis.state()
    const second = await ask()
    // A script takes 32 at most: nobody else is heard while it runs.
    expect(redis.state().asked - asked).to.equal(2)
    for (const [at, { retryAfterMs, cached }] of second.entries()) {
      expect(retryAfterMs === null, `call ${at}`).to.equal(at % 2 === 1)
      expect(cached).to.deep.equal({ kind: 'hit', context: contexts[at] })
    }
    await close()
  })

  it('B26 when calls travel together and are not answered, each of them hears of it', async () => {
    const { redis, raw, prefix, close } = await openTestRedis()
    const limiter = createRedisRateLimiter(redis, { prefix })
    await raw.set(`${prefix}limit:bearer:{spoilt}`, 'not a set of hits', 'PX', 60_000)
    const keys = ['bearer:spoilt', 'bearer:beside']
    const calls = keys.map((key) => limiter.admit([{ key, limit: 1, windowMs: 60_000 }]))
    for (const { status, reason } of (await Promise.allSettled(calls)) as PromiseRejectedResult[]) {
      expect(status).to.equal('rejected')
      expectOutage(reason)
    }
    await close()
  })

  it('scripts survive SCRIPT FLUSH', async () => {
    const { redis, raw, prefix, close } = await openTestRedis()
    const limiter = createRedisRateLimiter(redis, { prefix })
    const bucket = { key: 'k', limit: 2, windowMs: 60_000 }
    expect((await limiter.admit([bucket])).retryAfterMs).to.equal(null)
    await raw.script('FLUSH')
    expect((await limiter.admit([bucket])).retryAfterMs).to.equal(null)
    expect((await limiter.admit([bucket])).retryAfterMs).not.to.equal(null)
    await close()
  })

  it('nobody there: the first command fails within the second, the next at once, one line is logged', async () => {
    const { lines, log } = recorder()
    const redis = openRedis({ url: 'redis://127.0.0.1:1', keyPrefix: 'x:', log })
    const first = await timed(redis.ask((commands) => commands.get('x:k')))
    expectOutage(first.outcome)
    expect(first.tookMs).to.be.below(1500)
    const next = await timed(redis.ask((commands) => commands.get('x:k')))
    expectOutage(next.outcome)
    expect(next.tookMs).to.be.below(100)
    expect(lines).to.deep.equal(['error: redis does not answer'])
    await redis.quit()
  })

  it('B26 an outage is told at once and once, and ends by itself', async function () {
    this.timeout(10_000)
    const { raw, url, prefix, close } = await openTestRedis()
    const proxy = await openCuttingProxy(url)
    const { lines, log } = recorder()
    const redis = openRedis({ url: `redis://127.0.0.1:${proxy.port}`, keyPrefix: prefix, log })
    const read = () => redis.ask((commands) => commands.get(`${prefix}k`))
    await raw.set(`${prefix}k`, 'v', 'PX', 60_000)
    expect(await read()).to.equal('v')

    await proxy.cut()
    const refused = once(redis.client, 'error')
    const down = await timed(read())
    expectOutage(down.outcome)
    expect(down.tookMs).to.be.below(1500)
    await refused
    await once(redis.client, 'error')

    const ready = once(redis.client, 'ready')
    await proxy.mend()
    await ready
    expect(await read()).to.equal('v')
    expect(lines).to.deep.equal(['error: redis does not answer', 'info: redis answers again'])
    await redis.quit()
    await proxy.cut()
    await close()
  })

  it('B26 a server that accepts and says nothing costs a command about a second', async function () {
    this.timeout(10_000)
    const { url, prefix, close } = await openTestRedis()
    const proxy = await openCuttingProxy(url)
    const { log } = recorder()
    const redis = openRedis({ url: `redis://127.0.0.1:${proxy.port}`, keyPrefix: prefix, log })
    await redis.ask((commands) => commands.get(`${prefix}k`))
    proxy.silence()
    const hung = await timed(redis.ask((commands) => commands.get(`${prefix}k`)))
    expectOutage(hung.outcome)
    expect(hung.tookMs).to.be.within(500, 1800)
    redis.client.disconnect()
    await proxy.cut()
    await close()
  })

  it('an error of the server surfaces as an outage with its cause', async () => {
    const { redis, raw, prefix, close } = await openTestRedis()
    await raw.lpush(`${prefix}list`, 'x')
    const { outcome } = await timed(redis.ask((commands) => commands.get(`${prefix}list`)))
    expectOutage(outcome)
    expect((outcome as Error).cause)
      .to.have.property('message')
      .that.contains('WRONGTYPE')
    await close()
  })

  it('a test leaves the keys of others alone', async () => {
    const { raw, prefix, close } = await openTestRedis()
    const other = await openTestRedis()
    await other.raw.set(`${other.prefix}k`, 'v', 'PX', 60_000)
    await raw.set(`${prefix}k`, 'v', 'PX', 60_000)
    await close()
    expect(await other.keys()).to.deep.equal([`${other.prefix}k`])
    await other.close()
    const last = new Redis(other.url)
    expect(await last.exists(`${prefix}k`, `${other.prefix}k`)).to.equal(0)
    await last.quit()
  })
})
