import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { askAdminSocket, newSocketPath, serveAdminSocket } from '#adapters/admin/admin-socket.ts'
import { parseAdminCommand } from '#adapters/admin/parse-command.ts'
import { type AdminReply, runAdminCommand } from '#adapters/admin/run-command.ts'
import { sameSecret, sha256Hex } from '#adapters/crypto/digest.ts'
import { newId } from '#adapters/crypto/ids.ts'
import { createPasswordHasher } from '#adapters/crypto/password-hasher.ts'
import { randomBytes } from '#adapters/crypto/random.ts'
import { createTokenSeal } from '#adapters/crypto/token-seal.ts'
import { createHttpApp } from '#adapters/http/app.ts'
import { makeClientAddress } from '#adapters/http/client-address.ts'
import { makeConsoleCookies } from '#adapters/http/cookies.ts'
import { createConsoleTokens } from '#adapters/jose/console-tokens.ts'
import { createMemoryDeviceFlowStore } from '#adapters/memory/device-flow-store.ts'
import { createMemoryRateLimiter } from '#adapters/memory/rate-limiter.ts'
import { createMemoryRunControl } from '#adapters/memory/run-control.ts'
import { createMemoryRunLog } from '#adapters/memory/run-log.ts'
import { createMemoryTokenCache } from '#adapters/memory/token-cache.ts'
import { DataDirLocked } from '#adapters/postgres/data-lock.ts'
import { migrate, type Orm, openPglite, openPostgres } from '#adapters/postgres/open-orm.ts'
import { openStores } from '#adapters/postgres/opening.ts'
import { createRedisDeviceFlowStore } from '#adapters/redis/device-flow-store.ts'
import { openRedis } from '#adapters/redis/open-redis.ts'
import { createRedisRateLimiter } from '#adapters/redis/rate-limiter.ts'
import { createRedisTokenCache } from '#adapters/redis/token-cache.ts'
import { createSandbox } from '#adapters/runner-native/code/sandbox.ts'
import { readDsl } from '#adapters/runner-native/dsl/read-dsl.ts'
import { createGuardedEgress } from '#adapters/runner-native/egress/guarded-egress.ts'
import { openModel } from '#adapters/runner-native/models/open-model.ts'
import { createNativeRunner } from '#adapters/runner-native/native-runner.ts'
import { withAuditLines } from '#adapters/telemetry/audit-lines.ts'
import { createLog } from '#adapters/telemetry/log.ts'
import { mountAccount } from '#application/auth/checks.ts'
import { makeMembershipAccess } from '#application/auth/membership-access.ts'
import { outliveOutage } from '#application/auth/outlive-outage.ts'
import type { Timer } from '#application/ports/clock.ts'
import type { Log } from '#application/ports/log.ts'
import { makeUseCases, type UseCases } from '#application/use-cases.ts'
import { startBackground } from './background.ts'
import { type Config, ConfigError, generatedKey, isLoopback, MIN_KEY_LENGTH, type SigningKey } from './config.ts'
import { packageVersion } from './version.ts'

const now = Date.now
const timer: Timer = (delayMs, fire) => {
  // Nothing here is worth keeping a stopping process alive for.
  const handle = setTimeout(fire, delayMs).unref()
  return () => clearTimeout(handle)
}

/** The whole server, wired; `close` frees everything in reverse order of opening. */
type Core = {
  readonly cases: UseCases
  readonly secretKeys: readonly SigningKey[]
  stopRuns(): Promise<void>
  close(): Promise<void>
}

async function openDatabase(config: Config, socketPath: string | null): Promise<Orm> {
  return config.databaseUrl === null
    ? openPglite({ dataDir: config.dataDir, socketPath })
    : openPostgres({ url: config.databaseUrl })
}

/** Opens the database, brings it up to date and wires the core to it; frees what it opened when that fails. */
async function openCore(config: Config, socketPath: string | null, log: Log): Promise<Core> {
  const orm = await openDatabase(config, socketPath)
  try {
    await migrate(orm)
    return await wire(config, orm, log)
  } catch (error) {
    await orm.close()
    throw error
  }
}

async function wire(config: Config, orm: Orm, log: Log): Promise<Core> {
  const secretKeys = config.secretKeys ?? [generatedKey(await keptSecret(config.dataDir))]
  const stores = openStores(orm)
  // Whoever holds the embedded database is alone: what stands as running was cut off with its process.
  if (!orm.shared) await stores.runs.endAbandoned(now())
  const fast = openFastStores(config, log)
  const sandbox = createSandbox({ timer })
  const runControl = createMemoryRunControl()
  const cases = makeUseCases(
    {
      ...stores,
      ...fast.stores,
      audit: withAuditLines(stores.audit, log),
      consoleTokens: createConsoleTokens({ keys: secretKeys, now }),
      passwords: createPasswordHasher(),
      seal: createTokenSeal(),
      digest: sha256Hex,
      sameSecret,
      randomBytes,
      newId,
      runner: createNativeRunner({
        model: openModel(config.model, timer),
        code: sandbox,
        templates: sandbox,
        egress: createGuardedEgress({ rules: config.egress, timer }),
        now,
        timer,
        ids: newId,
        onFault: (error) => log.error('run fault', { error }),
      }),
      runLog: createMemoryRunLog({ now, timer }),
      runControl,
      readDsl,
      access: makeMembershipAccess(stores.memberships),
      mounters: [mountAccount],
      now,
      log,
    },
    {
      bearer: { enabled: config.bearerEnabled, perMinute: config.bearerPerMinute },
      knownClientIds: config.knownClientIds,
      tokenTtlDays: config.tokenTtlDays,
      tokenRetentionDays: config.tokenRetentionDays,
      decidePerHour: config.decidePerHour,
      accessMinutes: config.accessMinutes,
      refreshDays: config.refreshDays,
      initPassword: config.initPassword,
    },
  )
  return {
    cases,
    secretKeys,
    stopRuns: () => runControl.stopAll('shutdown'),
    async close() {
      await sandbox.close()
      await fast.close()
      await orm.close()
    },
  }
}

/** Flows, limits and cached tokens: in Redis for many replicas, in this process for one. */
function openFastStores(config: Config, log: Log) {
  if (config.redisUrl === null) {
    const cache = createMemoryTokenCache({ now, ids: newId })
    const limiter = createMemoryRateLimiter({ now, cache })
    const flows = createMemoryDeviceFlowStore({ now })
    return { stores: { flows, limiter, cache }, close: async () => {} }
  }
  const prefix = config.redisKeyPrefix
  const redis = openRedis({ url: config.redisUrl, keyPrefix: prefix, log })
  const outliving = outliveOutage({
    limiter: createRedisRateLimiter(redis, { prefix }),
    cache: createRedisTokenCache(redis, { prefix, now }),
    localLimiter: createMemoryRateLimiter({ now, cache: createMemoryTokenCache({ now, ids: newId }) }),
    log,
  })
  return {
    stores: { flows: createRedisDeviceFlowStore(redis, { prefix, now, log }), ...outliving },
    close: async () => {
      await redis.quit()
    },
  }
}

/** The signing key of an installation that was given none; made once, readable by this user alone. */
async function keptSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, 'secret_key')
  if (!existsSync(path)) {
    // Renamed into place: half a key, left by a full disk, would sign every session from then on.
    await writeFile(`${path}.draft`, Buffer.from(randomBytes(48)).toString('base64url'), { mode: 0o600 })
    await rename(`${path}.draft`, path)
  }
  const key = (await readFile(path, 'utf8')).trim()
  if (key.length < MIN_KEY_LENGTH) throw new ConfigError([`${path} holds no usable key; remove it to get a new one`])
  return key
}

/** Serves until it is told to stop. `say` takes the lines a person reads at the start. */
export async function serve(config: Config, log: Log, say: (line: string) => void): Promise<void> {
  const socketPath = config.databaseUrl === null ? newSocketPath() : null
  const core = await openCore(config, socketPath, log)
  const server = createServer()
  try {
    await serveCore(core, server, socketPath, config, log, say)
  } finally {
    server.close()
    await core.close()
  }
  log.info('stopped')
}

async function serveCore(
  core: Core,
  server: Server,
  socketPath: string | null,
  config: Config,
  log: Log,
  say: (line: string) => void,
): Promise<void> {
  const version = await packageVersion()
  // From here to the handler nothing may wait: a request in between would never be answered.
  const address = await listen(server, config)
  const own = isLoopback(config.host) ? address : null
  const app = createHttpApp({
    cases: core.cases,
    settings: {
      webOrigin: () => config.consoleWebUrl ?? address,
      issuer: () => {
        const origin = config.consoleApiUrl ?? own
        return origin === null ? null : `${origin}/openapi/v1`
      },
      corsOrigins: config.corsOrigins,
    },
    cookies: makeConsoleCookies({ secure: isHttps(config), domain: config.cookieDomain }),
    clientAddress: makeClientAddress(config.trustedProxies),
    log,
    now,
    timer,
    version,
    checkReplies: false,
  })
  server.on('request', app.callback())
  const admin =
    socketPath === null ? null : await serveAdminSocket(socketPath, (command) => runAdminCommand(core.cases, command))

  const isNew = (await core.cases.owner()) === null
  say(`Latchkey serves at ${address}`)
  say(isNew ? `First visit: ${address}/install creates your account` : `Approve terminals at ${address}/device`)
  if (config.databaseUrl === null) say(`Embedded database in ${config.dataDir}`)
  if (config.redisUrl === null) say('In-process limits and device codes: run one replica only (REDIS_URL shares them)')

  const background = startBackground({ cases: core.cases, prunes: config.prunesTokens, now, timer, log })
  await new Promise<void>((stopped) => {
    const stop = () => {
      void shutDown(server, core, admin, config.shutdownGraceS * 1000).then(stopped)
    }
    process.once('SIGTERM', stop).once('SIGINT', stop)
  })
  await background.stop()
}

/** Stops taking work, lets answers, streams and runs end, then closes what is left. */
async function shutDown(
  server: Server,
  core: Core,
  admin: { close(): Promise<void> } | null,
  graceMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const ended = Promise.all([core.stopRuns(), closed])
  server.closeIdleConnections()
  let endGrace = () => {}
  const grace = new Promise<void>((resolve) => {
    const handle = setTimeout(resolve, graceMs)
    endGrace = () => clearTimeout(handle)
  })
  await Promise.race([ended, grace])
  endGrace()
  server.closeAllConnections()
  await admin?.close()
}

/** Resolves to the origin that was bound: `PORT=0` takes a free port. */
async function listen(server: Server, { host, port }: Config): Promise<string> {
  await new Promise<void>((listening, failed) => {
    server.once('error', failed).listen(port, host, listening)
  })
  const bound = server.address() as AddressInfo // a TCP listener's address is never a path
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return `http://${name}:${bound.port}`
}

function isHttps({ consoleApiUrl, consoleWebUrl }: Config): boolean {
  return [consoleApiUrl, consoleWebUrl].every((url) => url?.startsWith('https:') === true)
}

/** Runs an operator's command on the store itself, or through the process that holds it. */
export async function administer(config: Config, words: readonly string[]): Promise<AdminReply> {
  const command = await parseAdminCommand(words, () => text(process.stdin))
  const log = createLog('silent')
  try {
    const core = await openCore(config, null, log)
    try {
      return await runAdminCommand(core.cases, command)
    } finally {
      await core.close()
    }
  } catch (error) {
    if (error instanceof DataDirLocked && error.socketPath !== null) return askAdminSocket(error.socketPath, command)
    throw error
  }
}

/** Brings the database up to date and closes it. */
export async function migrateOnly(config: Config): Promise<AdminReply> {
  const orm = await openDatabase(config, null)
  try {
    await migrate(orm)
  } finally {
    await orm.close()
  }
  return { ok: true, lines: ['The database is up to date'] }
}
