import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
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
import { answers, isMigrated, migrate, type Orm, openPglite, openPostgres } from '#adapters/postgres/open-orm.ts'
import { openStores } from '#adapters/postgres/opening.ts'
import { createSandbox } from '#adapters/runner-native/code/sandbox.ts'
import { createDslFiles } from '#adapters/runner-native/dsl/dsl-files.ts'
import { createFetchFile } from '#adapters/runner-native/dsl/fetch-file.ts'
import { createGuardedEgress } from '#adapters/runner-native/egress/guarded-egress.ts'
import { createGuardedFetch } from '#adapters/runner-native/egress/guarded-fetch.ts'
import { createRefusedFormats } from '#adapters/runner-native/models/answer-format.ts'
import { boundedModel } from '#adapters/runner-native/models/bounded-model.ts'
import type { ModelClient } from '#adapters/runner-native/models/model-client.ts'
import { type ModelCall, observedModel } from '#adapters/runner-native/models/observed-model.ts'
import { openModel } from '#adapters/runner-native/models/open-model.ts'
import { createOpenAiModel } from '#adapters/runner-native/models/openai-compatible.ts'
import { createNativeRunner } from '#adapters/runner-native/native-runner.ts'
import { createLiveDefinition } from '#adapters/runner-upstream/live-definition.ts'
import { createServiceApi } from '#adapters/runner-upstream/service-api.ts'
import { createUpstreamRunner } from '#adapters/runner-upstream/upstream-runner.ts'
import { withAuditLines } from '#adapters/telemetry/audit-lines.ts'
import type { Metrics } from '#adapters/telemetry/metrics.ts'
import { tracedRunner } from '#adapters/telemetry/traced-runner.ts'
import type { AppRunner } from '#application/ports/app-runner.ts'
import type { Log } from '#application/ports/log.ts'
import type { Tracer } from '#application/ports/tracer.ts'
import { type Check, makeCheckReadiness } from '#application/use-cases/check-readiness.ts'
import { makeLoadBindings } from '#application/use-cases/load-bindings.ts'
import { rememberKeys } from '#application/use-cases/remember-keys.ts'
import { makeUseCases, type UseCases } from '#application/use-cases.ts'
import { now, timer } from './clock.ts'
import { type Config, ConfigError, generatedKey } from './config.ts'
import { MIN_KEY_LENGTH } from './config-reader.ts'
import { type Enterprise, openEnterprise } from './enterprise.ts'
import { openFastStores } from './fast-stores.ts'
import { tracedStores } from './traced-stores.ts'
import { type Tracing, withTraceparent } from './tracing.ts'

/** The whole core, wired; `close` frees everything in reverse order of opening. */
export type Core = {
  readonly cases: UseCases
  readonly inTrace: Enterprise['inTrace']
  readonly readiness: ReturnType<typeof makeCheckReadiness>
  stopRuns(): Promise<void>
  close(): Promise<void>
}

/** The configured database: PostgreSQL, or the embedded one. */
export async function openDatabase(config: Config, socketPath: string | null): Promise<Orm> {
  return config.databaseUrl === null
    ? openPglite({ dataDir: config.dataDir, socketPath })
    : openPostgres({ url: config.databaseUrl })
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

/** Longer than any request may wait for one query; only a database that hangs takes so long. */
const QUERY_TIMEOUT_MS = 15_000

/** On PostgreSQL a migration has a connection of its own: it may take longer than any request waits. */
async function openUpToDate(config: Config, socketPath: string | null): Promise<Orm> {
  const orm = await openDatabase(config, socketPath)
  try {
    await migrate(orm)
  } catch (error) {
    await orm.close()
    throw error
  }
  if (config.databaseUrl === null) return orm
  await orm.close()
  return openPostgres({ url: config.databaseUrl, queryTimeoutMs: QUERY_TIMEOUT_MS })
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
  const fast = openFastStores(config, log)
  const { runLog, runControl, ...shared } = fast.stores
  const quick = { ...tracedStores(tracer, shared), runLog, runControl }
  const { limiter, cache } = quick
  const observed = (source: 'configured' | 'bound', model: ModelClient): ModelClient => {
    const bounded = boundedModel(model, config.limits.answerChars)
    return metrics === null && tracer === null
      ? bounded
      : observedModel(bounded, () => observeModel(source, metrics, tracer))
  }
  const toModels = (way: typeof fetch) => (tracer === null ? way : withTraceparent(tracer, way))
  const refused = createRefusedFormats()
  const configured = openModel(config.model, timer, toModels(fetch), refused)
  const ofRunner = (runner: AppRunner) => {
    const metered = metrics?.ofRunner(runner) ?? runner
    return tracer === null ? metered : tracedRunner(metered, tracer)
  }
  const { limits } = config
  const sandbox = createSandbox({
    timer,
    timeoutMs: limits.codeSeconds * 1000,
    maxRendered: limits.templateChars,
  })
  metrics?.watch({
    ...(orm.pool === null ? {} : { databasePool: orm.pool }),
    ...fast.watched,
    sandboxes: sandbox.state,
  })
  const egress = createGuardedEgress({ rules: config.egress, timer })
  const { uploads } = config
  const fileStore =
    uploads.s3 === null ? createDiskFileStore({ folder: join(config.dataDir, 'files') }) : createS3FileStore(uploads.s3)
  const guardedFetch = createGuardedFetch({ rules: config.egress })
  const enterprise = openEnterprise(config.edition, {
    ...stores,
    now,
    timer,
    log,
    consoleApiUrl: config.consoleApiUrl,
    tracer,
  })
  const keys = rememberKeys({ bindings: stores.bindings, secretBox, configured: config.model.apiKey })
  const loadBindings = makeLoadBindings({ bindings: keys.bindings, secretBox })
  const onFault = (error: unknown) => log.error('run fault', { error })
  const serviceApi = createServiceApi({ fetch: toModels(guardedFetch), timer })
  const native = createNativeRunner({
    limits,
    imagesAs: uploads.sendAs,
    model: configured === null ? null : observed('configured', configured),
    code: sandbox,
    templates: sandbox,
    egress,
    webFetch: guardedFetch,
    apps: stores.apps,
    bound: {
      load: loadBindings,
      openModel: ({ url, key, model }) => {
        const way = { fetch: toModels(guardedFetch), refused }
        return observed('bound', createOpenAiModel({ baseUrl: url, apiKey: key, name: model, ...way }))
      },
    },
    now,
    timer,
    ids: newId,
    onFault,
  })
  const cases = makeUseCases(
    {
      ...stores,
      ...quick,
      ...(tracer === null ? {} : { tracer }),
      limiter: metrics?.ofLimiter(limiter) ?? limiter,
      cache: metrics?.ofCache(cache) ?? cache,
      ...withAuditLines(stores, log),
      consoleTokens: createConsoleTokens({ keys: secretKeys, now }),
      passwords: createPasswordHasher(),
      seal: createTokenSeal(),
      bridge: enterprise.bridge,
      policy: enterprise.policy,
      sealer: createSsoSealer({ keys: secretKeys, now }),
      fileStore,
      fileLinks: createFileLinks(secretKeys),
      challenges: createChallenges(secretKeys),
      digest: sha256Hex,
      sameSecret,
      secretBox,
      knownKeys: keys.knownKeys,
      randomBytes,
      newId,
      runner: ofRunner(createUpstreamRunner({ native, api: serviceApi, load: loadBindings, now, ids: newId, onFault })),
      liveDefinition: createLiveDefinition({ load: loadBindings, api: serviceApi, now }),
      dsl: createDslFiles({ timer }),
      fetchFile: createFetchFile(egress),
      now,
      timer,
      log,
    },
    {
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
      remoteIsolation: enterprise.remoteIsolation,
    },
  )
  return {
    cases,
    inTrace: enterprise.inTrace,
    readiness: makeCheckReadiness({ checks: [...databaseChecks(orm), ...fast.checks], now, timer, log }),
    stopRuns: () => fast.carried.stopAll('shutdown'),
    async close() {
      await sandbox.close()
      await enterprise.close()
      await fast.close()
      await orm.close()
    },
  }
}

/** Begins to observe one call of a model; what it returns is told how the call went. */
function observeModel(source: 'configured' | 'bound', metrics: Metrics | null, tracer: Tracer | null) {
  const span = tracer?.begin('model call', 'client', { 'latchkey.model.source': source })
  return (call: ModelCall) => {
    metrics?.modelCall(source, call)
    const { outcome, usage } = call
    const facts =
      usage === null
        ? {}
        : { 'gen_ai.usage.input_tokens': usage.promptTokens, 'gen_ai.usage.output_tokens': usage.completionTokens }
    const isFault = outcome !== 'answered' && outcome !== 'stopped'
    span?.end({ facts: { ...facts, 'latchkey.model.outcome': outcome }, fault: isFault ? outcome : undefined })
  }
}

function databaseChecks(orm: Orm): readonly Check[] {
  return [
    { name: 'database', essential: true, passes: () => answers(orm) },
    { name: 'migrations', essential: true, passes: () => isMigrated(orm) },
  ]
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
