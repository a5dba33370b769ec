import { createMemoryRunControl, type MemoryRunControl } from '#adapters/memory/run-control.ts'
import { createMemoryRunLog } from '#adapters/memory/run-log.ts'
import type { RedisLink } from '#adapters/redis/open-redis.ts'
import { createRedisRunControl } from '#adapters/redis/run-control.ts'
import { createRedisRunLog, type RedisRunLog } from '#adapters/redis/run-log.ts'
import { openSubscriber } from '#adapters/redis/subscriber.ts'
import type { Timer } from '#application/ports/clock.ts'
import type { Log } from '#application/ports/log.ts'
import type { RunControl } from '#application/ports/run-control.ts'
import type { RunLog } from '#application/ports/run-log.ts'
import { type FakeClock, fakeClock } from './clock.ts'

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }

const timer: Timer = (delayMs, fire) => {
  const handle = setTimeout(fire, delayMs).unref()
  return () => clearTimeout(handle)
}

/** One process's part of what all know of runs; `clock` is that of its memory. */
export type RunReplica = {
  readonly log: RedisRunLog
  readonly control: RunControl
  readonly own: MemoryRunControl
  readonly clock: FakeClock
  quit(): void
}

/** As a server wires it, but what it stamps is by a clock that tests move. */
export function aRunReplica(redis: RedisLink, prefix: string, lines: Log = silent): RunReplica {
  const clock = fakeClock()
  const own = createMemoryRunControl()
  const subscriber = openSubscriber(redis, timer)
  return {
    log: createRedisRunLog(redis, { prefix, subscriber, local: createMemoryRunLog(clock), timer, log: lines }),
    control: createRedisRunControl(redis, { prefix, subscriber, local: own, timer }),
    own,
    clock,
    quit: () => subscriber.quit(),
  }
}

/** A log that is written in one process and read in another. */
export function readElsewhere(here: RunReplica, there: RunReplica): RunLog {
  return {
    begin: here.log.begin,
    append: here.log.append,
    close: here.log.close,
    reach: there.log.reach,
    read: there.log.read,
  }
}
