import type { Pool, PoolClient } from 'pg'

/**
 * Gives a connection that breaks while in use back to the pool. The mapper's transactions return theirs only after a
 * begin, commit or rollback that worked; without this every connection lost inside one takes its place in the pool
 * with it, until nobody gets a connection any more.
 */
export function returnLostConnections(pool: Pool): void {
  const inUse = new WeakSet<PoolClient>()
  pool.on('release', (_error, client) => inUse.delete(client))
  pool.on('acquire', (client) => inUse.add(client))
  pool.on('connect', (client) => {
    client.once('end', () => {
      // Whoever returns theirs properly does so first: the pool takes a second return for a fault.
      setImmediate(() => {
        if (inUse.has(client)) client.release(true)
      })
    })
  })
}
