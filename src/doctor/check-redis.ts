import type { openRedis, RedisLink } from '#adapters/redis/open-redis.ts'
import { clockFinding } from './clock-skew.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const OLDEST = [6, 2] as const

type Node = Extract<RedisLink['client'], { info: unknown }>

/** Version, kind, eviction and clock of every master. `now` is epoch milliseconds. */
export async function checkRedis(
  open: (log: Parameters<typeof openRedis>[0]['log']) => RedisLink,
  url: string,
  now: () => number,
): Promise<readonly Finding[]> {
  let why = 'does not answer'
  const hear = (_message: string, facts?: Readonly<Record<string, unknown>>) => {
    why = refusalOf(facts?.error) ?? why
  }
  const link = open({ info: hear, warn: hear, error: hear })
  try {
    await link.ask(async () => link.client.ping())
    const nodes = mastersOf(link)
    const found = await Promise.all(nodes.map((node) => checkNode(node, url.includes('+cluster:'), now)))
    return found.flat()
  } catch (error) {
    const refused = refusalOf(error) ?? refusalOf(error instanceof Error ? error.cause : null) ?? why
    return [fail('redis', refused, 'check REDIS_URL, its user and password, and that the server runs')]
  } finally {
    await link.quit()
  }
}

function mastersOf({ client }: RedisLink): readonly Node[] {
  return 'nodes' in client && typeof client.nodes === 'function' ? client.nodes('master') : [client as Node]
}

async function checkNode(node: Node, expectsCluster: boolean, now: () => number): Promise<readonly Finding[]> {
  const facts = await node.info()
  const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(facts)?.[1] ?? ''
  const beforeMs = now()
  const [seconds, micros] = await node.time()
  const afterMs = now()
  return [
    ofVersion(fact('redis_version')),
    ...ofKind(fact('cluster_enabled') === '1', expectsCluster),
    ofEviction(fact('maxmemory_policy'), Number(fact('maxmemory'))),
    clockFinding('redis', Number(seconds) * 1000 + Number(micros) / 1000, beforeMs, afterMs),
  ]
}

function ofVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
  return isOld
    ? fail('redis', `Redis ${version} is too old`, 'use Redis 6.2 or later')
    : ok('redis', `Redis ${version} answers`)
}

function ofKind(isCluster: boolean, expectsCluster: boolean): readonly Finding[] {
  if (isCluster === expectsCluster) return []
  const what = isCluster ? 'the server is part of a cluster, REDIS_URL names one server' : 'the server is no cluster'
  const wanted = isCluster ? 'redis+cluster:// (or rediss+cluster://)' : 'redis:// (or rediss://)'
  return [fail('redis kind', what, `let REDIS_URL start with ${wanted}`)]
}

function ofEviction(policy: string, maxBytes: number): Finding {
  if (policy === 'noeviction') return ok('redis eviction', 'noeviction')
  if (policy === '') return warn('redis eviction', 'the server does not say', 'see that maxmemory-policy is noeviction')
  const what = `${policy}${maxBytes === 0 ? ', with no maxmemory as yet' : ''}: a dropped counter is an attempt forgotten`
  return warn('redis eviction', what, 'set maxmemory-policy noeviction')
}

/** The word a refusal starts with, and no more: what follows can quote the user. */
function refusalOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  const word = /^(NOAUTH|WRONGPASS|NOPERM|LOADING|MASTERDOWN|CLUSTERDOWN|DENIED)\b/.exec(error.message)?.[1]
  if (word !== undefined) return `refuses: ${word}`
  const code = 'code' in error ? String(error.code) : ''
  return /^E[A-Z]+$/.test(code) ? `cannot be reached: ${code}` : null
}
