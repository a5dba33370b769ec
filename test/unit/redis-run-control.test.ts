import { expect } from 'chai'
import { createMemoryRunControl } from '#adapters/memory/run-control.ts'
import type { RedisLink } from '#adapters/redis/open-redis.ts'
import { createRedisRunControl } from '#adapters/redis/run-control.ts'
import type { Hear } from '#adapters/redis/subscriber.ts'
import { DomainError } from '#domain/errors.ts'
import { fakeClock } from '../support/clock.ts'

/** A process whose listening connection is back before the one that asks. */
function aProcessAfterAnOutage() {
  const clock = fakeClock()
  const local = createMemoryRunControl()
  let isUp = false
  let asked = 0
  let hear: Hear = () => {}
  const ask: RedisLink['ask'] = async () => {
    asked += 1
    if (!isUp) throw new DomainError('service_unavailable', {})
    return 'user' as never // what the command of this adapter answers
  }
  const link = { ask } as RedisLink // nothing else of it is used
  const subscriber = {
    listen(_channel: string, one: Hear) {
      hear = one
      return () => {}
    },
    quit: () => {},
  }
  createRedisRunControl(link, { prefix: 'p:', subscriber, local, timer: clock.timer })
  return {
    local,
    asked: () => asked,
    isBack: () => {
      isUp = true
    },
    hearAgain: () => hear(null),
    async pass(ms: number) {
      await settled()
      clock.advance(ms)
      await settled()
    },
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

describe('stops of runs after an outage of Redis', () => {
  it('H16 a stop told during the outage is found when the connection that asks comes back last', async () => {
    const place = aProcessAfterAnOutage()
    const { signal } = place.local.carry('task')
    place.hearAgain()
    await place.pass(5_000)
    expect(signal.aborted).to.equal(false)
    place.isBack()
    await place.pass(1_000)
    expect(signal.reason).to.equal('user')
  })

  it('asks once a second while Redis is away, however often the outage ends and begins, and not once runs are over', async () => {
    const place = aProcessAfterAnOutage()
    const { done } = place.local.carry('task')
    for (let time = 0; time < 3; time++) {
      place.hearAgain()
      await place.pass(0)
    }
    const before = place.asked()
    for (let second = 0; second < 4; second++) await place.pass(1_000)
    expect(place.asked() - before).to.equal(4)
    done()
    await place.pass(1_000)
    const after = place.asked()
    await place.pass(60_000)
    expect(place.asked()).to.equal(after)
  })
})
