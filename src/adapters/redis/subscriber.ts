import { Cluster } from 'ioredis'
import type { Timer } from '#application/ports/clock.ts'
import type { RedisLink } from './open-redis.ts'

/** What is told on a channel; null when something may have been missed: at the start, and after an outage. */
export type Hear = (message: string | null) => void

/** Listens to channels that other processes publish on, over one connection whatever their number. */
export type Subscriber = {
  /** Calls `hear` until the returned function is called. */
  listen(channel: string, hear: Hear): () => void
  quit(): void
}

/** A connection that only listens would never notice that its server is gone. */
const PING_MS = 5000
const AGAIN_MS = 1000

/** A cluster has a connection for this itself. */
export function openSubscriber({ client }: Pick<RedisLink, 'client'>, timer: Timer): Subscriber {
  const hearers = new Map<string, Set<Hear>>()
  const isOwn = !(client instanceof Cluster)
  // Resubscribed here: the client's own way forgets what was asked for during an outage.
  const connection = isOwn ? client.duplicate({ autoResubscribe: false }) : client
  let hasQuit = false

  const tell = (channel: string, message: string | null) => {
    for (const hear of hearers.get(channel) ?? []) hear(message)
  }
  const subscribe = (channel: string) => {
    if (hasQuit || !hearers.has(channel)) return
    connection.subscribe(channel).then(
      () => tell(channel, null),
      () => timer(AGAIN_MS, () => subscribe(channel)),
    )
  }
  const onMessage = (channel: string, message: string) => tell(channel, message)
  const onReady = () => {
    for (const channel of hearers.keys()) subscribe(channel)
  }
  connection.on('message', onMessage)
  connection.on('ready', onReady)
  // The other connection to the same server has said so.
  if (isOwn) connection.on('error', () => {})

  const keepAsking = () => {
    if (hasQuit) return
    if (connection.status === 'ready') connection.ping().catch(() => {})
    timer(PING_MS, keepAsking)
  }
  if (isOwn) keepAsking()

  return {
    listen(channel, hear) {
      const known = hearers.get(channel)
      const all = known ?? new Set()
      hearers.set(channel, all.add(hear))
      if (connection.status === 'ready') subscribe(channel)
      return () => {
        all.delete(hear)
        if (all.size > 0 || hearers.get(channel) !== all) return
        hearers.delete(channel)
        if (connection.status === 'ready') connection.unsubscribe(channel).catch(() => {})
      }
    },
    quit() {
      hasQuit = true
      hearers.clear()
      connection.off('message', onMessage).off('ready', onReady)
      if (isOwn) connection.disconnect()
    },
  }
}
