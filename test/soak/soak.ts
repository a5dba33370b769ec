import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPostgres } from '#adapters/postgres/open-orm.ts'
import { chatFile } from '../http/app-files.ts'
import { API } from '../http/place.ts'
import { openCuttingProxy } from '../support/cutting-proxy.ts'
import { openOwnPostgres } from '../support/own-services.ts'
import { openReplicas, setUp } from '../support/replicas.ts'
import type { Browser } from '../support/world.ts'
import { unrevoked, violationsIn } from './audit.ts'
import { liveAsDevice } from './device.ts'
import { FAULTS, type Stage } from './faults.ts'
import { type Disturbance, type Entry, violationsOf } from './history.ts'
import { openPool, type Pool } from './pool.ts'
import { type Random, seededRandom } from './random.ts'
import { openRedisPair } from './redis-pair.ts'
import { UPLOAD_ENV, uploadViolations } from './uploads.ts'

export type SoakOptions = {
  readonly seed: number
  readonly replicas: number
  readonly devices: number
  /** The names of the faults that happen one after the other; an endless list ends with `isOver`. */
  readonly faults: Iterable<string>
  readonly isOver: () => boolean
  readonly progress?: (line: string) => void
}

export type SoakSummary = {
  readonly violations: readonly string[]
  readonly requests: Readonly<Record<string, number>>
  readonly faults: Readonly<Record<string, number>>
  /** What replicas logged of requests that became a 500. */
  readonly faultLines: readonly string[]
}

const RECOVERY_MS = 20_000
const BETWEEN_MS = 800
/** A browser's session is good for an hour. */
const SESSION_MS = 20 * 60_000

/** A world of real replicas on stores of their own, devices that log in and out, and faults; then everything is checked. */
export async function soak({
  seed,
  replicas: size,
  devices,
  faults,
  isOver,
  progress,
}: SoakOptions): Promise<SoakSummary> {
  const random = seededRandom(seed)
  const postgres = await openOwnPostgres()
  if (postgres === null) throw new Error('the postgresql package is missing')
  const redis = await openRedisPair()
  const [redisProxy, postgresProxy] = [
    await openCuttingProxy(redis.primary().url),
    await openCuttingProxy(postgres.url),
  ]
  const through = (url: string, port: number) => {
    const around = new URL(url)
    around.host = `127.0.0.1:${port}`
    return around.href
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'latchkey-soak-'))
  const env = { MODEL_BASE_URL: 'scripted:', DATA_DIR: dataDir, ...UPLOAD_ENV }
  const replicas = await openReplicas({ databaseUrl: postgres.url, redisUrl: redis.primary().url, env })
  const orm = await openPostgres({ url: postgres.url })
  try {
    const pool = await openPool(replicas, size, {
      REDIS_URL: through(redis.primary().url, redisProxy.port),
      DATABASE_URL: through(postgres.url, postgresProxy.port),
    })
    const life = await begin(pool, random)
    let isEnding = false
    const living = Promise.all(
      Array.from({ length: devices }, (_, at) =>
        liveAsDevice(`device ${at}`, seededRandom(seed + 1 + at), { ...life.around, isOver: () => isEnding }),
      ),
    )
    // A device that breaks is a fault of the test, told at once rather than at the end.
    let broken: unknown = null
    living.catch((error: unknown) => {
      broken = error
    })
    const stage: Stage = { pool, redis, redisProxy, postgres, postgresProxy }
    const happened: Record<string, number> = {}
    for (const name of faults) {
      if (isOver() || broken !== null) break
      const fault = FAULTS[name]
      if (fault === undefined) throw new Error(`no fault is called ${name}`)
      const startMs = performance.now()
      await fault.happen(stage, random)
      await recovered(pool, random)
      const endMs = performance.now()
      life.disturbances.push({ name, startMs, endMs, hitsCache: fault.hitsCache })
      happened[name] = (happened[name] ?? 0) + 1
      progress?.(`${name}: back after ${Math.round(endMs - startMs)} ms, ${life.entries.length} requests so far`)
      await life.renew()
      await pause(BETWEEN_MS)
    }
    isEnding = true
    await living
    const history = { entries: life.entries, disturbances: life.disturbances }
    const violations = [
      ...pool.troubles,
      ...violationsOf(history),
      ...(await violationsIn(orm, life.entries)),
      ...(await unrevoked(orm, life.entries)),
      ...(await uploadViolations(orm, join(dataDir, 'files'), history)),
    ]
    return { violations, requests: counted(life.entries), faults: happened, faultLines: pool.faultLines() }
  } finally {
    await orm.close()
    await replicas.close()
    await rm(dataDir, { recursive: true, force: true })
    await Promise.all([redisProxy.cut(), postgresProxy.cut()])
    await redis.close()
    postgres.stop()
  }
}

/** The first account, an app, a browser: what the devices share. */
async function begin(pool: Pool, random: Random) {
  const [first] = pool.replicas()
  if (first === undefined) throw new Error('no replicas')
  await setUp(first)
  let browser: Browser = await first.signIn()
  let renewedMs = performance.now()
  const json = { mode: 'yaml-content', yaml_content: chatFile() }
  const { json: imported } = await first.post('/console/api/apps/imports', { json, headers: browser.headers })
  const entries: Entry[] = []
  const disturbances: Disturbance[] = []
  let flows = 0
  return {
    entries,
    disturbances,
    async renew() {
      if (performance.now() - renewedMs < SESSION_MS) return
      browser = (await pool.replicas()[0]?.signIn()) ?? browser
      renewedMs = performance.now()
    },
    around: {
      send: (method: string, path: string, how: object) => pool.send(random, method, path, how),
      browser: () => browser,
      appId: String(imported.app_id),
      url: () => random.pick(pool.replicas()).url,
      record: (entry: Entry) => void entries.push(entry),
      rows: new Map<string, string>(),
      nextFlow: () => {
        flows += 1
        return flows
      },
    },
  }
}

/**
 * Waits until every replica has both its stores back, as it must by itself.
 * @throws Error when one does not come back
 */
async function recovered(pool: Pool, random: Random): Promise<void> {
  const untilMs = performance.now() + RECOVERY_MS
  const headers = () => ({ 'X-Forwarded-For': `10.251.${random.below(250)}.${random.below(250)}` })
  for (const replica of pool.replicas()) {
    for (;;) {
      const replies = await Promise.all([
        replica.get(`${API}/oauth/device/lookup?user_code=AAAA-AAAA`, { headers: headers() }),
        // An unknown account is looked for in the database.
        replica.get('/console/api/setup'),
      ]).catch(() => [])
      if (replies.length > 0 && replies.every(({ status }) => status === 200)) break
      if (performance.now() > untilMs) throw new Error('a replica does not come back to its stores')
      await pause(50)
    }
  }
}

function counted(entries: readonly Entry[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { did, outcome } of entries) counts[`${did} ${outcome}`] = (counts[`${did} ${outcome}`] ?? 0) + 1
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => a.localeCompare(b)))
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
