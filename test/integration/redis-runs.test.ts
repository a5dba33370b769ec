import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { createMemoryRunSlots } from '#adapters/memory/run-slots.ts'
import { openRedis, type RedisLink } from '#adapters/redis/open-redis.ts'
import { createRedisRunSlots } from '#adapters/redis/run-slots.ts'
import type { RunSlots } from '#application/ports/run-slots.ts'
import type { RunEvent } from '#domain/run.ts'
import { runControlContract } from '../contract/run-control.ts'
import { runLogContract } from '../contract/run-log.ts'
import { runSlotsContract } from '../contract/run-slots.ts'
import { openCuttingProxy } from '../support/cutting-proxy.ts'
import { openTestRedis, type TestRedis } from '../support/redis.ts'
import { clusterSuite, startCluster, type TestCluster } from '../support/redis-cluster.ts'
import { aRunReplica, type RunReplica, readElsewhere } from '../support/run-replicas.ts'
import { anEnding, aText } from '../support/run-steps.ts'
import { suiteFor } from '../support/services.ts'
import { until } from '../support/until.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }
const FREE = { pace: false }
const never = () => new AbortController().signal

function slotsOn(redis: RedisLink, prefix: string): RunSlots {
  return createRedisRunSlots(redis, { prefix, local: createMemoryRunSlots() })
}

async function all(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const seen: RunEvent[] = []
  for await (const event of events) seen.push(event)
  return seen
}

suiteFor('redis')('Runs on Redis', () => {
  let opened: TestRedis
  let here: RunReplica
  let there: RunReplica
  beforeEach(async () => {
    opened = await openTestRedis()
    here = aRunReplica(opened.redis, opened.prefix)
    there = aRunReplica(opened.redis, opened.prefix)
  })
  afterEach(async () => {
    here.quit()
    there.quit()
    await opened.close()
  })

  runLogContract('redis, read where it is written', () => here)
  runLogContract('redis, read elsewhere', () => ({ log: readElsewhere(here, there), clock: here.clock }))
  runControlContract('redis', () => here.control)
  runSlotsContract('redis', () => [slotsOn(opened.redis, opened.prefix), slotsOn(opened.redis, opened.prefix)])

  it('a slot whose process was killed is free after a minute, one that is renewed is not', async () => {
    const slots = slotsOn(opened.redis, opened.prefix)
    const [dead, alive] = [
      { workspaceId: 'w', runId: 'dead' },
      { workspaceId: 'w', runId: 'alive' },
    ]
    for (const slot of [dead, alive]) expect(await slots.take(slot, 2)).to.equal(true)
    // The server's own clock cannot be moved; what it wrote can.
    for (const { runId } of [dead, alive]) await opened.raw.zincrby(`${opened.prefix}runs:{w}`, -60_001, runId)
    await slots.renew([alive])
    expect(await slots.take({ workspaceId: 'w', runId: 'next' }, 2)).to.equal(true)
    expect(await slots.take({ workspaceId: 'w', runId: 'more' }, 2)).to.equal(false)
  })

  it('while Redis is away a stop reaches the runs of its own process, and says that it cannot reach others', async () => {
    const redis = openRedis({ url: 'redis://127.0.0.1:1', keyPrefix: 'x:', log: silent })
    const alone = aRunReplica(redis, 'x:')
    const { signal } = alone.control.carry('own')
    await alone.control.stop('own', 'user')
    expect(signal.reason).to.equal('user')
    const outcome = await alone.control.stop('foreign', 'user').catch((error: unknown) => error)
    expect(outcome).to.have.property('code', 'service_unavailable')
    alone.quit()
    await redis.quit()
  })

  it('while Redis is away whoever joins a run of another process is told so, before anything else', async () => {
    const redis = openRedis({ url: 'redis://127.0.0.1:1', keyPrefix: 'x:', log: silent })
    const alone = aRunReplica(redis, 'x:')
    await alone.log.begin('own', { anew: false })
    await alone.log.reach('own')
    const outcome = await alone.log.reach('foreign').catch((error: unknown) => error)
    expect(outcome).to.include({ code: 'service_unavailable' })
    alone.quit()
    await redis.quit()
  })

  it('counts the runs of its own process while Redis is away', async () => {
    const redis = openRedis({ url: 'redis://127.0.0.1:1', keyPrefix: 'x:', log: silent })
    const slots = slotsOn(redis, 'x:')
    const slot = { workspaceId: 'w', runId: 'one' }
    expect(await slots.take(slot, 1)).to.equal(true)
    expect(await slots.take({ ...slot, runId: 'two' }, 1)).to.equal(false)
    await slots.renew([slot])
    await slots.free(slot)
    expect(await slots.take({ ...slot, runId: 'two' }, 1)).to.equal(true)
    await redis.quit()
  })

  it('H16 a stop reaches the process that carries the run, with the reason, and no other', async () => {
    const [one, other] = [here.control.carry('one'), here.control.carry('other')]
    const foreign = there.control.carry('foreign')
    await until(async () => (await opened.raw.pubsub('NUMSUB', `${opened.prefix}run-stop`))[1] === 2)
    await there.control.stop('one', 'user')
    await until(() => one.signal.aborted)
    expect(one.signal.reason).to.equal('user')
    expect([other.signal.aborted, foreign.signal.aborted]).to.deep.equal([false, false])
  })

  it('H16 a stop that was told during an outage is found after it', async () => {
    const proxy = await openCuttingProxy(opened.url)
    const redis = openRedis({
      url: `redis://127.0.0.1:${proxy.port}`,
      keyPrefix: opened.prefix,
      log: silent,
    })
    const away = aRunReplica(redis, opened.prefix)
    try {
      await redis.ask((commands) => commands.get('x'))
      const { signal } = away.control.carry('task')
      await proxy.cut()
      await here.control.stop('task', 'user')
      expect(signal.aborted).to.equal(false)
      await proxy.mend()
      await until(() => signal.aborted)
      expect(signal.reason).to.equal('user')
    } finally {
      away.quit()
      await redis.quit()
      await proxy.cut()
    }
  })

  it('goes on for readers of its own process while Redis is away, and for all others afterwards', async function () {
    this.timeout(10_000)
    const proxy = await openCuttingProxy(opened.url)
    const warnings: string[] = []
    const lines = { info: () => {}, warn: (message: string) => warnings.push(message), error: () => {} }
    const redis = openRedis({ url: `redis://127.0.0.1:${proxy.port}`, keyPrefix: opened.prefix, log: lines })
    const away = aRunReplica(redis, opened.prefix, lines)
    try {
      await redis.ask((commands) => commands.get('x'))
      await away.log.begin('r', { anew: false })
      const own = all(away.log.read('r', 1, never()))
      await away.log.append('r', aText('before'), FREE)
      await proxy.cut()
      for (let at = 0; at < 50; at++) await away.log.append('r', aText(String(at)), FREE)
      await away.log.append('r', anEnding(), FREE)
      await away.log.close('r')
      expect(await own).to.have.length(52)
      await until(() => warnings.length > 0)
      expect(warnings).to.deep.equal(['a run cannot be followed from elsewhere for now'])

      await proxy.mend()
      expect(await all(there.log.read('r', 1, never()))).to.deep.equal(await own)
    } finally {
      away.quit()
      await redis.quit()
      await proxy.cut()
    }
  })

  it('tells whoever joins only what is yet to come, when asked so', async () => {
    await here.log.begin('r', { anew: false })
    for (const letter of 'abc') await here.log.append('r', aText(letter), FREE)
    await until(async () => (await opened.raw.exists(`${opened.prefix}run-log:{r}`)) === 1)
    for (const replica of [here, there]) {
      const seen: RunEvent[] = []
      const hangUp = new AbortController()
      const reading = (async () => {
        for await (const event of replica.log.read('r', 'now', hangUp.signal)) seen.push(event)
      })()
      let told = 0
      await until(async () => {
        told = (await here.log.append('r', aText('new'), FREE)).seq
        return seen.length > 0
      })
      expect(told).to.be.above(3)
      expect(seen[0]?.seq).to.be.above(3)
      hangUp.abort()
      await reading
    }
  })

  it('a reader elsewhere that never reads on costs a page, and slows nobody', async () => {
    await here.log.begin('r', { anew: false })
    await here.log.append('r', aText('first'), FREE)
    const idle = there.log.read('r', 1, never())[Symbol.asyncIterator]()
    expect((await idle.next()).value?.seq).to.equal(1)
    const long = 'x'.repeat(100_000)
    for (let at = 0; at < 300; at++) await here.log.append('r', aText(long), { pace: true })
    await here.log.append('r', anEnding(), FREE)
    await here.log.close('r')
    await here.log.flush()
    // 30 MB were told: the oldest are gone, so the reader is cut as soon as it asks for them.
    const [memory] = [await opened.raw.memory('USAGE', `${opened.prefix}run-log:{r}`, 'SAMPLES', 0)]
    expect(memory).to.be.below(12_000_000)
    const rest: unknown[] = []
    for (let one = await idle.next(); one.done !== true; one = await idle.next()) rest.push(one.value)
    expect(rest.length).to.be.below(100)
  })

  it('what lies in Redis has a life', async () => {
    await here.log.begin('r', { anew: false })
    await here.log.append('r', aText('a'), FREE)
    await until(async () => (await opened.keys()).length === 1)
    expect(await opened.raw.pttl(`${opened.prefix}run-log:{r}`)).to.be.within(3_500_000, 3_600_000)
    await here.log.append('r', anEnding(), FREE)
    await here.log.close('r')
    await here.log.flush()
    await here.control.stop('task', 'user')
    expect(await opened.keys()).to.have.length(2)
    for (const key of await opened.keys()) expect(await opened.raw.pttl(key), key).to.be.within(1, 600_000)
  })

  it('ends the readers of a run whose process was killed, when another says so', async () => {
    await here.log.begin('r', { anew: false })
    await here.log.append('r', aText('a'), FREE)
    await until(async () => (await opened.keys()).length === 1)
    const third = aRunReplica(opened.redis, opened.prefix)
    const reading = all(there.log.read('r', 1, never()))
    await third.log.close('r')
    expect((await reading).map(({ seq }) => seq)).to.deep.equal([1])
    third.quit()
  })

  it('does not trust what lies in Redis', async () => {
    for (const text of ['{', '{}', '[1]', '[{"seq":"1"}]']) {
      const run = randomUUID()
      await opened.raw.xadd(`${opened.prefix}run-log:{${run}}`, '1-0', 'events', text)
      const outcome = await all(there.log.read(run, 1, never())).catch((error: unknown) => error)
      expect(outcome, text).to.be.instanceOf(Error)
    }
  })
})

clusterSuite()('Runs on a Redis Cluster of three masters', function () {
  this.timeout(20_000)
  let cluster: TestCluster
  before(async () => {
    cluster = await startCluster()
  })
  after(() => cluster.close())

  let here: RunReplica
  let there: RunReplica
  let slots: readonly [RunSlots, RunSlots]
  let quit: () => Promise<unknown>
  beforeEach(async () => {
    const prefix = `latchkey-test:${randomUUID()}:`
    const [a, b] = [0, 1].map(() => openRedis({ url: cluster.url, keyPrefix: prefix, log: silent }))
    if (a === undefined || b === undefined) throw new Error('two links')
    here = aRunReplica(a, prefix)
    there = aRunReplica(b, prefix)
    slots = [slotsOn(a, prefix), slotsOn(b, prefix)]
    // Each master has its own connection, which takes a moment.
    for (const link of [a, b]) {
      const reaches = (key: string) =>
        link
          .ask((commands) => commands.get(key))
          .then(
            () => true,
            () => false,
          )
      for (const key of ['1', '2', '3', '4', '5', '6']) await until(() => reaches(prefix + key))
    }
    quit = async () => {
      here.quit()
      there.quit()
      await Promise.all([a.quit(), b.quit()])
    }
  })
  afterEach(() => quit())

  runLogContract('redis cluster, read where it is written', () => here)
  runLogContract('redis cluster, read elsewhere', () => ({ log: readElsewhere(here, there), clock: here.clock }))
  runControlContract('redis cluster', () => here.control)
  runSlotsContract('redis cluster', () => slots)

  it('H16 a stop reaches the process that carries the run', async () => {
    const { signal } = here.control.carry('one')
    await until(async () => {
      await there.control.stop('one', 'user')
      return signal.aborted
    })
    expect(signal.reason).to.equal('user')
  })
})
