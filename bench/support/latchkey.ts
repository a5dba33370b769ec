import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { freePort } from './free-port.ts'
import { type ServerProcess, startServer } from './server-process.ts'

const MAIN = fileURLToPath(import.meta.resolve('#src/main.ts'))
const REDIS_URL = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'

export const OWNER = { email: 'bench@example.com', name: 'Bench', password: 'correct horse 9' }

/** Settings of a Latchkey on real stores; every limit is at its default. */
export type Settings = Readonly<Record<string, string>>

/** Settings of one deployment, with keys and a folder of its own; `close` removes both. */
export async function deployment(databaseUrl: string, redisUrl = REDIS_URL) {
  const dataDir = await mkdtemp(join(tmpdir(), 'latchkey-bench-'))
  const settings = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    REDIS_KEY_PREFIX: `latchkey-bench-${randomBytes(4).toString('hex')}:`,
    SECRET_KEY: randomBytes(32).toString('base64url'),
    DATA_DIR: dataDir,
    TRUSTED_PROXIES: '127.0.0.1/32',
  }
  return {
    settings,
    async close() {
      await rm(dataDir, { recursive: true, force: true })
      await removeKeys(settings.REDIS_KEY_PREFIX)
    },
  }
}

/** Settings of one process that keeps everything by itself: the embedded database, nothing in Redis. */
export async function memoryDeployment() {
  const dataDir = await mkdtemp(join(tmpdir(), 'latchkey-bench-'))
  const settings = { DATA_DIR: dataDir, TRUSTED_PROXIES: '127.0.0.1/32' }
  return { settings, close: () => rm(dataDir, { recursive: true, force: true }) }
}

/** Most keys would stay for an hour, the window of the longest limit. */
async function removeKeys(prefix: string): Promise<void> {
  const redis = new Redis(REDIS_URL)
  for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1000 })) {
    if (keys.length > 0) await redis.unlink(...keys)
  }
  await redis.quit()
}

export async function startLatchkey(settings: Settings, core?: number): Promise<ServerProcess> {
  return startServer([MAIN, 'serve'], await freePort(), '/openapi/v1/_version', settings, core)
}

/** Creates the owner through the first-visit route. */
export async function setUpOwner({ origin }: ServerProcess): Promise<void> {
  const response = await fetch(`${origin}/console/api/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(OWNER),
  })
  if (response.status !== 201) throw new Error(`set-up answered ${response.status}: ${await response.text()}`)
}

/** Imports an app file as an operator does, and gives its id. */
export function importApp(settings: Settings, file: string): string {
  const path = fileURLToPath(new URL(`../../examples/${file}`, import.meta.url))
  const printed = execFileSync(process.execPath, [MAIN, 'app', 'import', path, '--as', OWNER.email, '--json'], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...settings },
    encoding: 'utf8',
  })
  const { app_id }: { readonly app_id: string } = JSON.parse(printed)
  return app_id
}
