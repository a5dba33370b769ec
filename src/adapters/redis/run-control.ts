import type { Timer } from '#application/ports/clock.ts'
import type { RunControl, StopReason } from '#application/ports/run-control.ts'
import type { RedisLink } from './open-redis.ts'
import type { Subscriber } from './subscriber.ts'

/** The runs that this process carries. */
export type CarriedRuns = RunControl & {
  tasks(): readonly string[]
}

export type RunControlSettings = {
  readonly prefix: string
  readonly subscriber: Subscriber
  readonly local: CarriedRuns
  readonly timer: Timer
}

/** Longer than any outage that a run outlives. */
const STOP_LIFE_MS = 600_000
const AGAIN_MS = 1000
const REASONS: readonly string[] = ['user', 'hang_up', 'shutdown'] satisfies StopReason[]

/** Stops runs wherever they are carried: each stop is told to all processes, and kept for those that missed it. */
export function createRedisRunControl(redis: RedisLink, settings: RunControlSettings): RunControl {
  const { prefix, subscriber, local, timer } = settings
  const channel = `${prefix}run-stop`
  const keyOf = (taskId: string) => `${prefix}run-stop:${taskId}`
  let cancelAgain = () => {}

  async function obey(taskId: string, reason: string | null): Promise<void> {
    if (isReason(reason)) await local.stop(taskId, reason)
  }

  /**
   * During an outage nothing was told. The connection that hears of its end is not the one that asks, and may be back
   * before it: what cannot be asked now is asked again.
   */
  async function catchUp(): Promise<void> {
    const asked = await Promise.allSettled(
      local.tasks().map(async (taskId) => obey(taskId, await redis.ask((commands) => commands.get(keyOf(taskId))))),
    )
    cancelAgain()
    cancelAgain = asked.some(({ status }) => status === 'rejected') ? timer(AGAIN_MS, () => void catchUp()) : () => {}
  }

  subscriber.listen(channel, (message) => {
    if (message === null) return void catchUp()
    const [reason = '', taskId = ''] = message.split(' ')
    void obey(taskId, reason)
  })

  return {
    carry: (taskId) => local.carry(taskId),

    async stop(taskId, reason) {
      if (local.tasks().includes(taskId)) return local.stop(taskId, reason)
      await redis.ask((commands) =>
        Promise.all([
          commands.set(keyOf(taskId), reason, 'PX', STOP_LIFE_MS),
          commands.publish(channel, `${reason} ${taskId}`),
        ]),
      )
    },
  }
}

function isReason(text: string | null): text is StopReason {
  return text !== null && REASONS.includes(text)
}
