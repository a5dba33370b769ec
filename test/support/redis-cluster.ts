import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster, Redis } from 'ioredis'
import type { RedisLink } from '#adapters/redis/open-redis.ts'

const MASTERS = 3
const SLOTS = 16_384
const MAX_PROBES = 200
const READY_MS = 20_000

export type TestCluster = {
  readonly url: string
  readonly ports: readonly number[]
  /** Adds a copy of the master `at`, and waits until it has everything; only of a cluster without TLS. */
  copy(at: number): Promise<ClusterCopy>
  close(): Promise<void>
}

export type ClusterCopy = {
  /** Kills the master that it copies and takes its slots, as an operator's `CLUSTER FAILOVER` does. */
  takeOver(): Promise<void>
}

/** `describe` where a cluster can be started; else `describe.skip`, or a failure where services are required. */
export function clusterSuite(): Mocha.SuiteFunction | Mocha.PendingSuiteFunction {
  if (spawnSync('redis-server', ['--version']).status === 0) return describe
  if (process.env.REQUIRE_SERVICES === '1') throw new Error('missing: redis-server, for a cluster')
  process.stderr.write('\n*** SKIPPING every test that needs a Redis Cluster (the redis-server package) ***\n\n')
  return describe.skip
}

/** A certificate for 127.0.0.1 and its key, as paths. */
export type Certificate = { readonly cert: string; readonly key: string }

/** Three masters without replicas, on ports and in folders of their own; with a certificate, they speak TLS alone. */
export async function startCluster(tls?: Certificate): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-cluster-'))
  const ports = await freePorts(2 * MASTERS)
  const masters = ports.slice(0, MASTERS)
  const children = masters.map((port, at) => start(folder, port, ports[MASTERS + at] ?? 0, tls))
  // They knock until the servers listen.
  const secure = tls === undefined ? {} : { tls: { rejectUnauthorized: false } }
  const clients = masters.map((port) => new Redis(port, '127.0.0.1', secure).on('error', () => {}))
  const [first] = clients
  for (const [at, client] of clients.entries()) {
    const from = Math.floor((at * SLOTS) / MASTERS)
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, Math.floor(((at + 1) * SLOTS) / MASTERS) - 1)
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', at + 1)
    if (at > 0) await first?.call('CLUSTER', 'MEET', '127.0.0.1', masters[at] ?? 0, ports[MASTERS + at] ?? 0)
  }
  for (const client of clients) await untilUp(client)
  for (const client of clients) client.disconnect()
  return {
    ports: masters,
    async copy(at) {
      const [port = 0, busPort = 0] = await freePorts(2)
      children.push(start(folder, port, busPort, tls))
      const [master, own] = [new Redis(masters[at] ?? 0), new Redis(port).on('error', () => {})]
      await own.call('CLUSTER', 'MEET', '127.0.0.1', masters[at] ?? 0, ports[MASTERS + at] ?? 0)
      await until(async () => String(await own.call('CLUSTER', 'INFO')).includes(`cluster_known_nodes:${MASTERS + 1}`))
      const masterId = String(await master.call('CLUSTER', 'MYID'))
      // Known by gossip, but perhaps not yet shaken hands with.
      await until(() =>
        own.call('CLUSTER', 'REPLICATE', masterId).then(
          () => true,
          () => false,
        ),
      )
      await until(async () => String(await own.call('INFO', 'replication')).includes('master_link_status:up'))
      return {
        async takeOver() {
          // WAIT would wait for the writes of this connection, which made none.
          const written = await offsetIn(master, 'master_repl_offset')
          await until(async () => (await offsetIn(own, 'slave_repl_offset')) >= written)
          children[at]?.kill('SIGKILL')
          await own.call('CLUSTER', 'FAILOVER', 'TAKEOVER')
          await until(async () => String(await own.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
          for (const client of [master, own]) client.disconnect()
        },
      }
    },
    url: `${tls === undefined ? 'redis' : 'rediss'}+cluster://${masters.map((port) => `127.0.0.1:${port}`).join(',')}`,
    async close() {
      for (const child of children) {
        child.kill('SIGKILL')
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** How far a server is in the stream of writes. */
async function offsetIn(client: Redis, name: string): Promise<number> {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(String(await client.call('INFO', 'replication')))?.[1])
}

function start(folder: string, port: number, busPort: number, tls: Certificate | undefined): ChildProcess {
  const listener =
    tls === undefined
      ? { port }
      : {
          port: 0,
          'tls-port': port,
          'tls-cluster': 'yes',
          'tls-auth-clients': 'no',
          'tls-cert-file': tls.cert,
          'tls-key-file': tls.key,
          'tls-ca-cert-file': tls.cert,
        }
  const options = {
    ...listener,
    'cluster-port': busPort,
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    'cluster-enabled': 'yes',
    'cluster-config-file': `nodes-${port}.conf`,
  }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  return spawn('redis-server', args, { stdio: 'ignore' })
}

/** Gossip takes a moment, and nothing tells when it is through but the cluster itself. */
function untilUp(client: Redis): Promise<void> {
  return until(async () => {
    const info = String(await client.call('CLUSTER', 'INFO'))
    return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${MASTERS}`)
  })
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let probe = 0; probe < MAX_PROBES; probe++) {
    if (await isSo()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the cluster did not come up')
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  // A TCP server's address is always this shape.
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
  return ports
}

/** Resolves when every master takes commands; a busy machine needs more than the second that a request would wait. */
export async function untilReady({ client, ask }: RedisLink): Promise<void> {
  const untilMs = Date.now() + READY_MS
  for (;;) {
    const isReady = client.status === 'ready' && client instanceof Cluster && (await answersEverywhere(ask))
    if (isReady) return
    if (Date.now() > untilMs) throw new Error('the cluster does not get ready')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Keys enough to fall on every master. */
const PROBES = Array.from({ length: 24 }, (_, at) => `probe ${at}`)

async function answersEverywhere(ask: RedisLink['ask']): Promise<boolean> {
  return ask((commands) => Promise.all(PROBES.map((key) => commands.get(key)))).then(
    () => true,
    () => false,
  )
}
