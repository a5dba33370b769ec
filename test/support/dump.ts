import type { Cluster, Redis } from 'ioredis'
import type { Orm } from '#adapters/postgres/open-orm.ts'

/** Every row of every table, as text. */
export async function dumpDatabase(orm: Orm): Promise<string> {
  const [row] = await orm.em
    .fork()
    .execute<{ dump: string }[]>(`select schema_to_xml('public', false, false, '')::text as dump`)
  return row?.dump ?? ''
}

/** Every key that begins with `prefix`, and what it holds, as text. */
export async function dumpRedis(client: Redis | Cluster, prefix: string): Promise<string> {
  const parts: string[] = []
  for (const node of 'nodes' in client ? client.nodes('master') : [client]) {
    for await (const keys of node.scanStream({ match: `${prefix}*`, count: 1000 })) {
      parts.push(...keys, ...(await Promise.all(keys.map((key: string) => heldAt(node, key)))))
    }
  }
  return parts.join('\n')
}

async function heldAt(node: Redis, key: string): Promise<string> {
  const type = await node.type(key)
  switch (type) {
    case 'string':
      return (await node.get(key)) ?? ''
    case 'zset':
      return (await node.zrange(key, '0', '-1')).join('\n')
    case 'hash':
      return JSON.stringify(await node.hgetall(key))
    case 'set':
      return (await node.smembers(key)).join('\n')
    case 'list':
      return (await node.lrange(key, '0', '-1')).join('\n')
    case 'stream':
      return JSON.stringify(await node.xrange(key, '-', '+'))
    // It ended meanwhile.
    case 'none':
      return ''
    default:
      throw new Error(`no reader for a ${type}`)
  }
}
