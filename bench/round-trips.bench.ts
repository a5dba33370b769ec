import { getWorkspaces } from './support/bearer-measures.ts'
import type { CountingProxy } from './support/counting-proxy.ts'
import type { ServerProcess } from './support/server-process.ts'
import { send } from './support/shots.ts'

export type RoundTrips = { readonly redis: number; readonly sql: number }

const CALLS = 200
const CALLS_A_TOKEN = 40

/** What one request with a warm bearer asks of Redis and of the database, one request at a time. */
export async function countRoundTrips(
  latchkey: ServerProcess,
  tokens: readonly string[],
  stores: { readonly redis: CountingProxy; readonly database: CountingProxy },
): Promise<RoundTrips> {
  const bearers = tokens.slice(0, Math.ceil(CALLS / CALLS_A_TOKEN))
  for (const bearer of bearers) await call(latchkey, bearer)
  const before = { redis: stores.redis.sent(), sql: stores.database.sent() }
  for (let made = 0; made < CALLS; made++) await call(latchkey, bearers[made % bearers.length] ?? '')
  return { redis: (stores.redis.sent() - before.redis) / CALLS, sql: (stores.database.sent() - before.sql) / CALLS }
}

async function call(latchkey: ServerProcess, bearer: string): Promise<void> {
  const response = await send(latchkey, getWorkspaces(bearer))
  await response.arrayBuffer()
  if (response.status !== 200) throw new Error(`GET /workspaces answered ${response.status}`)
}
