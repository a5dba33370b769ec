import { join } from 'node:path'
import { createChallenges } from '#adapters/crypto/challenges.ts'
import { sameSecret, sha256Hex } from '#adapters/crypto/digest.ts'
import { createFileLinks } from '#adapters/crypto/file-links.ts'
import { newId } from '#adapters/crypto/ids.ts'
import { createPasswordHasher } from '#adapters/crypto/password-hasher.ts'
import { randomBytes } from '#adapters/crypto/random.ts'
import { createSecretBox } from '#adapters/crypto/secret-box.ts'
import { createTokenSeal } from '#adapters/crypto/token-seal.ts'
import { createDiskFileStore } from '#adapters/files/disk-file-store.ts'
import { createS3FileStore } from '#adapters/files/s3-file-store.ts'
import { createConsoleTokens } from '#adapters/jose/console-tokens.ts'
import { createSsoSealer } from '#adapters/jose/sso-sealer.ts'
import type { Orm } from '#adapters/postgres/open-orm.ts'
import { openStores } from '#adapters/postgres/opening.ts'
import { createDslFiles } from '#adapters/runner-native/dsl/dsl-files.ts'
import { withAuditLines } from '#adapters/telemetry/audit-lines.ts'
import type { Metrics } from '#adapters/telemetry/metrics.ts'
import type { FileStore } from '#application/ports/file-store.ts'
import type { Log } from '#application/ports/log.ts'
import type { Tracer } from '#application/ports/tracer.ts'
import type { CoreSettings } from '#application/ports.ts'
import { makeCheckReadiness } from '#application/use-cases/check-readiness.ts'
import { makeLoadBindings } from '#application/use-cases/load-bindings.ts'
import { rememberKeys } from '#application/use-cases/remember-keys.ts'
import { makeUseCases, type UseCases } from '#application/use-cases.ts'
import { now, timer } from './clock.ts'
import { type Config, generatedKey } from './config.ts'
import type { SigningKey } from './config-reader.ts'
import { databaseChecks, openUpToDate } from './database.ts'
import { type Enterprise, openEnterprise } from './enterprise.ts'
import { openFastStores } from './fast-stores.ts'
import { keptSecret } from './kept-secret.ts'
import { openRunner } from './runner.ts'
import { tracedStores } from './traced-stores.ts'
import type { Tracing } from './tracing.ts'

/** The whole core, wired; `close` frees all that it opened, the stores last. */
export type Core = {
  readonly cases: UseCases
  readonly inTrace: Enterprise['inTrace']
  readonly readiness: ReturnType<typeof makeCheckReadiness>
  /** Loads what the first run would otherwise wait for; for whoever has nothing better to do. */
  prepare(): Promise<void>
  stopRuns(): Promise<void>
  close(): Promise<void>
}

/** Who is told of what happens; nobody when absent. */
export type Watching = { readonly metrics?: Metrics | null; readonly tracing?: Tracing | null }

/** Opens the database, brings it up to date and wires the core to it; frees what it opened when that fails. */
export async function openCore(
  config: Config,
  socketPath: string | null,
  log: Log,
  { metrics = null, tracing = null }: Watching = {},
): Promise<Core> {
  const orm = await openUpToDate(config, socketPath)
  try {
    return await wire(config, orm, log, metrics, tracing)
  } catch (error) {
    await orm.close()
    throw error
  }
}

async function wire(
  config: Config,
  orm: Orm,
  log: Log,
  metrics: Metrics | null,
  tracing: Tracing | null,
): Promise<Core> {
  const secretKeys = config.secretKeys ?? [generatedKey(await keptSecret(config.dataDir))]
  const secretBox = createSecretBox(secretKeys)
  const tracer = tracing?.tracer ?? null
  const stores = tracedStores(tracer, openStores(orm))
  // Whoever holds the embedded database is alone: what stands as running was cut off with its process.
  if (!orm.shared) await stores.runs.endAbandoned(now(), null)
  const fast = await openFastStores(config, log)
  const keys = rememberKeys({ bindings: stores.bindings, secretBox, configured: config.model.apiKey })
  const load = makeLoadBindings({ bindings: keys.bindings, secretBox })
  const running = openRunner(config, { apps: stores.apps, load, log, metrics, tracer })
  metrics?.watch({
    ...(orm.pool === null ? {} : { databasePool: orm.pool }),
    ...fast.watched,
    ...running.watched,
  })
  const fileStore = openFileStore(config)
  const { consoleApiUrl } = config
  const enterprise = await openEnterprise(config.edition, { ...stores, now, timer, log, consoleApiUrl, tracer })
  const cases = makeUseCases(
    {
      ...stores,
      ...quickPorts(fast.stores, metrics, tracer),
      ...(tracer === null ? {} : { tracer }),
      ...withAuditLines(stores, log),
      ...secretPorts(secretKeys),
      ...running.ports,
      bridge: enterprise.bridge,
      policy: enterprise.policy,
      fileStore,
      secretBox,
      knownKeys: keys.knownKeys,
      dsl: createDslFiles({ timer }),
      now,
      timer,
      log,
    },
    settingsOf(config, enterprise.remoteIsolation),
  )
  return {
    cases,
    inTrace: enterprise.inTrace,
    readiness: makeCheckReadiness({ checks: [...databaseChecks(orm), ...fast.checks], now, timer, log }),
    prepare: running.prepare,
    stopRuns: () => fast.carried.stopAll('shutdown'),
    async close() {
      await running.close()
      await enterprise.close()
      await fast.close()
      await orm.close()
    },
  }
}

function quickPorts(
  stores: Awaited<ReturnType<typeof openFastStores>>['stores'],
  metrics: Metrics | null,
  tracer: Tracer | null,
) {
  const { runLog, runControl, ...shared } = stores
  const quick = tracedStores(tracer, shared)
  return {
    ...quick,
    runLog,
    runControl,
    limiter: metrics?.ofLimiter(quick.limiter) ?? quick.limiter,
    cache: metrics?.ofCache(quick.cache) ?? quick.cache,
  }
}

function openFileStore({ uploads, dataDir }: Config): FileStore {
  return uploads.s3 === null ? createDiskFileStore({ folder: join(dataDir, 'files') }) : createS3FileStore(uploads.s3)
}

/** All that is signed, sealed, hashed or drawn by lot. */
function secretPorts(keys: readonly SigningKey[]) {
  return {
    consoleTokens: createConsoleTokens({ keys, now }),
    passwords: createPasswordHasher(),
    seal: createTokenSeal(),
    sealer: createSsoSealer({ keys, now }),
    fileLinks: createFileLinks(keys),
    challenges: createChallenges(keys),
    digest: sha256Hex,
    sameSecret,
    randomBytes,
    newId,
  }
}

function settingsOf(config: Config, remoteIsolation: boolean): CoreSettings {
  const { uploads } = config
  return {
    bearer: { enabled: config.bearerEnabled, perMinute: config.bearerPerMinute },
    knownClientIds: config.knownClientIds,
    tokenTtlDays: config.tokenTtlDays,
    tokenRetentionDays: config.tokenRetentionDays,
    traceRetentionDays: config.traceRetentionDays,
    uploads: uploads.rules,
    fileRetentionDays: uploads.retentionDays,
    filesOrigin: uploads.origin,
    fileLinkSeconds: uploads.linkSeconds,
    decidePerHour: config.decidePerHour,
    runsPerWorkspace: config.runsPerWorkspace,
    accessMinutes: config.accessMinutes,
    refreshDays: config.refreshDays,
    initPassword: config.initPassword,
    consoleApiUrl: config.consoleApiUrl,
    remoteIsolation,
  }
}
