import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { Log } from '#application/ports/log.ts'
import { DomainError } from '#domain/errors.ts'
import { type Commands, SCRIPTS } from './scripts.ts'

export type RedisSettings = {
  /** `redis://` or `redis+cluster://[user:password@]h1:p1,h2:p2`; `rediss` for TLS. */
  readonly url: string
  /** Names the connection in CLIENT LIST; the stores put it before their keys themselves. */
  readonly keyPrefix: string
  readonly log: Log
}

/** A connection that comes back by itself after an outage, and is quick to say so during one. */
export type RedisLink = {
  readonly client: Redis | Cluster
  /**
   * Commands given in one call leave in one write.
   * @throws DomainError `service_unavailable` when any of them fails, within about a second
   */
  ask<R>(commands: (redis: Commands) => Promise<R>): Promise<R>
  /** Calls `last` at the end of this turn of the event loop; what it asks leaves in the same write as all before. */
  atEndOfTurn(last: () => void): void
  /** Calls of `ask` so far, and whether the next one has a chance. */
  state(): { readonly isUp: boolean; readonly asked: number; readonly failed: number }
  quit(): Promise<void>
}

/** A dead server must cost a request no more than this before the caller can do without it. */
const TIMEOUT_MS = 1000
const MAX_RETRY_DELAY_MS = 2000
const SLOTS_REFRESH_MS = 5000

/** Connects in the background; the first commands wait for the first attempt, later ones never queue. */
export function openRedis({ url, keyPrefix, log }: RedisSettings): RedisLink {
  const client = connect(url, keyPrefix)
  for (const [name, script] of Object.entries(SCRIPTS)) client.defineCommand(name, script)
  const opening = firstAttempt(client)
  logOutages(client, log)
  // defineCommand added the scripts at run time, where the types of the client cannot see them.
  const commands = client as unknown as Commands
  let asked = 0
  let failed = 0
  const turns = batchTurns(client)

  return {
    client,
    async ask(run) {
      asked += 1
      if (client.status !== 'ready') await opening
      if (client.status !== 'ready') {
        failed += 1
        throw new DomainError('service_unavailable', {}, { cause: new Error('redis down') })
      }
      turns.hold()
      try {
        return await run(commands)
      } catch (cause) {
        failed += 1
        throw new DomainError('service_unavailable', {}, { cause })
      }
    },
    atEndOfTurn: turns.atEnd,
    state: () => ({ isUp: client.status === 'ready', asked, failed }),
    async quit() {
      if (client.status !== 'ready') return client.disconnect()
      // Whatever a goodbye fails with: a server that does not hear it must not keep the other stores from closing.
      await client.quit().catch(() => client.disconnect())
    },
  }
}

/**
 * Holds the socket back until the end of this turn of the event loop, so that all commands of one turn leave in one
 * write. The client's own pipelining does the same for half as much again per command; a cluster still needs it.
 */
function batchTurns(client: Redis | Cluster) {
  let isHeld = false
  let last: (() => void)[] = []

  function release(stream: Redis['stream'] | undefined): void {
    const calls = last
    last = []
    for (const call of calls) call()
    isHeld = false
    stream?.uncork()
  }

  function hold(): void {
    if (isHeld) return
    isHeld = true
    // There is none before the first attempt to connect.
    const stream: Redis['stream'] | undefined = client instanceof Redis ? client.stream : undefined
    stream?.cork()
    setImmediate(release, stream)
  }

  return {
    hold,
    atEnd(call: () => void) {
      hold()
      last.push(call)
    },
  }
}

/** Whether the server, or any one of a cluster, answers. */
export async function pingRedis({ client }: RedisLink): Promise<boolean> {
  return (await client.ping()) === 'PONG'
}

type Found = (fault: null, address: string) => void

function connect(url: string, name: string): Redis | Cluster {
  const options = {
    connectionName: name.replaceAll(/[^\w.-]/g, ''),
    connectTimeout: TIMEOUT_MS,
    // A server that accepts and then says nothing is as dead as one that refuses. One timer for all commands under
    // way: one each costs as much as the command.
    socketTimeout: TIMEOUT_MS,
    // Two seconds by default, which a stopping process would wait for a peer that is gone.
    disconnectTimeout: 100,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    // A swap whose answer was lost may have happened; sent again it would say that somebody else won.
    autoResendUnfulfilledCommands: false,
  } satisfies RedisOptions
  const retryStrategy = (times: number) => Math.min(50 * 2 ** Math.min(times, 10), MAX_RETRY_DELAY_MS)
  const cluster = /^redis(s?)\+cluster:\/\/(?:([^:@]*)(?::([^@]*))?@)?([^/?]+)/.exec(url)
  if (cluster === null) return new Redis(url, { ...options, retryStrategy })
  const [, secure = '', username = '', password = '', hosts = ''] = cluster
  return new Cluster(hosts.split(',').map(nodeOf), {
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshTimeout: TIMEOUT_MS,
    // A master that is away is told at once to the caller, who knows what to do without it. Asked again sixteen times,
    // which is the default, each command would cost its request twenty seconds.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // Then its connection has to come back by itself, and who took its place has to be asked for.
    clusterNodeRetryStrategy: retryStrategy,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    // A certificate is for the name that a node goes by, which must not become its address before it is checked.
    ...(secure === '' ? {} : { dnsLookup: (host: string, found: Found) => found(null, host) }),
    redisOptions: {
      ...options,
      ...(secure === '' ? {} : { tls: {} }),
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    },
  })
}

function nodeOf(text: string): { host: string; port: number } {
  const { hostname, port } = new URL(`redis://${text}`)
  return { host: hostname.replaceAll(/[[\]]/g, ''), port: port === '' ? 6379 : Number(port) }
}

function firstAttempt(client: Redis | Cluster): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['ready', 'error', 'close']) client.once(event, () => resolve())
  })
}

/** One line when it goes and one when it is back, however many attempts lie between; in a cluster, for each master. */
function logOutages(client: Redis | Cluster, log: Log): void {
  watch(client, {}, log)
  if (client instanceof Cluster) {
    client.on('+node', (node: Redis) => {
      watch(node, { node: `${node.options.host}:${node.options.port}` }, log)
      // Left to the first command, the second would be refused while it connects.
      if (node.status === 'wait') node.connect().catch(() => {})
    })
  }
}

function watch(client: Redis | Cluster, facts: { readonly node?: string }, log: Log): void {
  let isDown = false
  client.on('error', (error: unknown) => {
    if (!isDown) log.error('redis does not answer', { ...facts, error })
    isDown = true
  })
  client.on('ready', () => {
    if (isDown) log.info('redis answers again', facts)
    isDown = false
  })
}
