import { Redis } from 'ioredis'
import type { Clock } from '#application/ports/clock.ts'
import type { RedisLink } from './open-redis.ts'

/** One call in one window. */
export type Hit = {
  /** Of the sorted set of hits. */
  readonly key: string
  readonly limit: number
  readonly windowMs: number
  /** Names the hit; unique over all replicas. */
  readonly receipt: string
  /** Key of a value to bring along, in the same slot; null brings none. */
  readonly read: string | null
}

export type Taken = {
  readonly raw: string | null
  /** Times in ms on one clock; null is a hit that was admitted and recorded. */
  readonly refusal: { readonly oldestMs: number; readonly nowMs: number } | null
}

export type TakeHit = (hit: Hit) => Promise<Taken>

type Waiting = {
  readonly hit: Hit
  readonly resolve: (taken: Taken) => void
  readonly reject: (error: unknown) => void
}

/** Hits that one script takes at most: nobody else is heard while it runs. */
const MAX_TOGETHER = 32

/**
 * Takes hits in Redis. On a single server those of one turn of the event loop travel as one command: its cost, here as
 * there, is mostly in the command and little in the hit. A cluster has them in many slots and gets each by itself.
 * @param now for tests; absent, the server's own clock decides
 */
export function makeTakeHit(redis: RedisLink, now?: Clock): TakeHit {
  const isSingle = redis.client instanceof Redis
  let waiting: Waiting[] = []

  async function take(hits: readonly Hit[]): Promise<readonly Taken[]> {
    const reads = hits.flatMap(({ read }) => read ?? [])
    const keys = [...hits.map(({ key }) => key), ...reads]
    let readAt = hits.length
    const args: (string | number)[] = [now?.() ?? '']
    for (const { limit, windowMs, receipt, read } of hits)
      args.push(limit, windowMs, receipt, read === null ? 0 : ++readAt)
    const [nowMs, ...answers] = await redis.ask((commands) => {
      if (isSingle) return commands.takeHits(keys.length, ...keys, ...args)
      return keys.length === 1 ? commands.takeHit(...keys, ...args) : commands.takeHitAndRead(...keys, ...args)
    })
    return hits.map((_, index) => {
      const [raw, oldestMs] = [answers[2 * index] ?? null, answers[2 * index + 1]]
      return { raw, refusal: oldestMs === '' ? null : { oldestMs: Number(oldestMs), nowMs: Number(nowMs) } }
    })
  }

  async function takeTogether(batch: readonly Waiting[]): Promise<void> {
    try {
      const taken = await take(batch.map(({ hit }) => hit))
      for (const [index, one] of taken.entries()) batch[index]?.resolve(one)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  function flush(): void {
    const all = waiting
    waiting = []
    for (let at = 0; at < all.length; at += MAX_TOGETHER) void takeTogether(all.slice(at, at + MAX_TOGETHER))
  }

  if (!isSingle) return async (hit) => only(await take([hit]))
  return (hit) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) redis.atEndOfTurn(flush)
      waiting.push({ hit, resolve, reject })
    })
}

function only([taken]: readonly Taken[]): Taken {
  if (taken === undefined) throw new Error('no answer for the hit')
  return taken
}
