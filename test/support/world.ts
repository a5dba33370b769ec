import type { AddressInfo } from 'node:net'
import { createChallenges } from '#adapters/crypto/challenges.ts'
import { sameSecret, sha256Hex } from '#adapters/crypto/digest.ts'
import { createFileLinks } from '#adapters/crypto/file-links.ts'
import { newId } from '#adapters/crypto/ids.ts'
import { randomBytes } from '#adapters/crypto/random.ts'
import { createSecretBox } from '#adapters/crypto/secret-box.ts'
import { createTokenSeal } from '#adapters/crypto/token-seal.ts'
import { createHttpApp } from '#adapters/http/app.ts'
import { makeClientAddress, makeIsTrustedPeer } from '#adapters/http/client-address.ts'
import { type CookieSettings, makeConsoleCookies } from '#adapters/http/cookies.ts'
import type { HttpContext, InTrace } from '#adapters/http/http-context.ts'
import { createHttpServer, type Patience } from '#adapters/http/http-server.ts'
import { type BrandSettings, makeBrand, OURS } from '#adapters/http/pages/brand.ts'
import { createConsoleTokens } from '#adapters/jose/console-tokens.ts'
import { createSsoSealer } from '#adapters/jose/sso-sealer.ts'
import { createMemoryDeviceFlowStore } from '#adapters/memory/device-flow-store.ts'
import { createMemoryFileStore } from '#adapters/memory/file-store.ts'
import { createMemoryNonceGuard } from '#adapters/memory/nonce-guard.ts'
import { createMemoryRateLimiter } from '#adapters/memory/rate-limiter.ts'
import { createMemoryRunControl } from '#adapters/memory/run-control.ts'
import { createMemoryRunLog } from '#adapters/memory/run-log.ts'
import { createMemoryRunSlots } from '#adapters/memory/run-slots.ts'
import { openMemoryStores } from '#adapters/memory/stores.ts'
import { createMemoryTokenCache } from '#adapters/memory/token-cache.ts'
import { openPostgres } from '#adapters/postgres/open-orm.ts'
import { openStores } from '#adapters/postgres/opening.ts'
import { createRedisDeviceFlowStore } from '#adapters/redis/device-flow-store.ts'
import { createRedisNonceGuard } from '#adapters/redis/nonce-guard.ts'
import { createRedisRateLimiter } from '#adapters/redis/rate-limiter.ts'
import { createRedisTokenCache } from '#adapters/redis/token-cache.ts'
import { createSandbox } from '#adapters/runner-native/code/sandbox.ts'
import { createDslFiles } from '#adapters/runner-native/dsl/dsl-files.ts'
import { createFetchFile } from '#adapters/runner-native/dsl/fetch-file.ts'
import type { EgressRules } from '#adapters/runner-native/egress/address-policy.ts'
import { createGuardedEgress } from '#adapters/runner-native/egress/guarded-egress.ts'
import { createGuardedFetch } from '#adapters/runner-native/egress/guarded-fetch.ts'
import { createChatEndpoint } from '#adapters/runner-native/models/chat-endpoint.ts'
import type { ModelClient } from '#adapters/runner-native/models/model-client.ts'
import { openModel } from '#adapters/runner-native/models/open-model.ts'
import { createNativeRunner } from '#adapters/runner-native/native-runner.ts'
import { createLiveDefinition } from '#adapters/runner-upstream/live-definition.ts'
import { createServiceApi } from '#adapters/runner-upstream/service-api.ts'
import { createUpstreamRunner } from '#adapters/runner-upstream/upstream-runner.ts'
import { withAuditLines } from '#adapters/telemetry/audit-lines.ts'
import type { CountryOf } from '#application/ports/country-of.ts'
import type { Log, LogLine } from '#application/ports/log.ts'
import type { PasswordHasher } from '#application/ports/password-hasher.ts'
import type { CoreSettings, Ports } from '#application/ports.ts'
import type { CheckReadiness } from '#application/use-cases/check-readiness.ts'
import { makeLoadBindings } from '#application/use-cases/load-bindings.ts'
import { makeUseCases, type UseCases } from '#application/use-cases.ts'
import type { AuditEvent } from '#domain/audit-event.ts'
import { USUAL_EXTENSIONS } from '#domain/file-type.ts'
import { USUAL_UPLOAD_QUOTA } from '#domain/upload-quota.ts'
import { USUAL_FILES_PER_RUN, USUAL_MAX_BYTES } from '#domain/uploaded-file.ts'
import type { Role } from '#domain/workspace.ts'
import { type FakeClock, fakeClock } from './clock.ts'
import { conforming } from './conforming.ts'
import { createDatabase } from './databases.ts'
import { dumpDatabase, dumpRedis } from './dump.ts'
import { expectNothingHandedOut } from './handed-out.ts'
import { openTestRedis } from './redis.ts'
import { expectNoSecret, looksSecret, recordingSecrets } from './secret-free-log.ts'
import { visitorOf } from './visitor.ts'

export type WorldOptions = {
  /** `services` are real PostgreSQL and Redis, with a database and a key prefix of their own. */
  readonly on?: 'memory' | 'services'
  readonly settings?: Partial<CoreSettings>
  readonly cookies?: Partial<CookieSettings>
  readonly corsOrigins?: readonly string[]
  readonly trustedProxies?: readonly string[]
  readonly brand?: BrandSettings
  readonly countryOf?: CountryOf
  /** How long callers may take; as in production when absent. */
  readonly patience?: Patience
  /** Null is a server without a model; absent is the built-in scripted one. */
  readonly model?: ModelClient | null
  /** What apps may reach although it is not public; nothing when absent. */
  readonly egress?: EgressRules
  readonly inTrace?: InTrace
  readonly tracing?: HttpContext['tracing']
  readonly checkReadiness?: CheckReadiness
  /** Replaces ports before anything is wired, to wrap or break them. */
  readonly change?: (ports: Ports, clock: FakeClock) => Ports | Promise<Ports>
}

export type Reply = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; any shape, since tests look into all of them. */
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts the shape it expects
  readonly json: any
}

export type Send = {
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly form?: Readonly<Record<string, string>> | string
  readonly body?: string
}

/** A signed-in browser: its cookies, and the header that its script would send. */
export type Browser = {
  readonly cookie: string
  readonly csrf: string
  /** Both, ready to send. */
  readonly headers: Readonly<Record<string, string>>
}

export type Login = {
  readonly token: string
  readonly tokenId: string
  readonly deviceCode: string
  readonly userCode: string
}

export type World = Awaited<ReturnType<typeof aWorld>>

export const OWNER = { email: 'owner@example.test', name: 'Olive Owner', password: 'correct horse 1' }

/** Passwords hashed at no cost; the real hasher has a suite of its own. */
const quickHasher: PasswordHasher = {
  hash: async (password) => `quick:${password}`,
  verify: async (password, hash) => hash === `quick:${password}`,
}

/**
 * A whole server on a free port, on the stores that `options` names, with a clock that tests move. `close` fails when a
 * secret stands in any of its log lines (E17).
 */
export async function aWorld(options: WorldOptions = {}) {
  const clock = fakeClock(Date.UTC(2026, 0, 5, 12))
  const logLines: { level: string; message: string; facts: unknown }[] = []
  const log = recordingLog(logLines)
  const backing = options.on === 'services' ? await openServices(clock.now, log) : openMemory(clock.now)
  const auditEvents: AuditEvent[] = []
  const sandbox = createSandbox({ timer: realTimer })
  const model =
    options.model === undefined
      ? openModel({ baseUrl: 'scripted:', apiKey: null, name: null }, realTimer)
      : options.model
  const secretBox = createSecretBox([{ kid: 'test', key: 's'.repeat(32) }])
  const rules = options.egress ?? { allowCidrs: [], allowHosts: [] }
  const egress = createGuardedEgress({ rules, timer: realTimer })
  const guardedFetch = createGuardedFetch({ rules })
  const serviceApi = createServiceApi({ fetch: guardedFetch, timer: realTimer })
  const base: Ports = {
    ...backing.stores,
    ...withAuditLines(
      {
        audit: {
          async append(event, atMs) {
            await backing.stores.audit.append(event, atMs)
            auditEvents.push(event)
          },
        },
        unitOfWork: backing.stores.unitOfWork,
      },
      log,
    ),
    consoleTokens: createConsoleTokens({ keys: [{ kid: 'test', key: 'k'.repeat(32) }], now: clock.now }),
    passwords: quickHasher,
    seal: createTokenSeal(),
    bridge: null,
    policy: null,
    sealer: createSsoSealer({ keys: [{ kid: 'test', key: 'k'.repeat(32) }], now: clock.now }),
    digest: sha256Hex,
    sameSecret,
    secretBox,
    randomBytes,
    newId,
    runner: createUpstreamRunner({
      native: createNativeRunner({
        model,
        code: sandbox,
        templates: sandbox,
        egress,
        webFetch: guardedFetch,
        // The stores may yet be replaced by `change`.
        apps: { find: (id) => ports.apps.find(id), definition: (id) => ports.apps.definition(id) },
        bound: {
          load: (workspaceId) => makeLoadBindings(ports)(workspaceId),
          openModel: ({ url, key, model: name }) =>
            createChatEndpoint({ baseUrl: url, apiKey: key, name, fetch: guardedFetch }),
        },
        now: clock.now,
        timer: realTimer,
        ids: newId,
      }),
      api: serviceApi,
      load: (workspaceId) => makeLoadBindings(ports)(workspaceId),
      now: clock.now,
      ids: newId,
      onFault: () => {},
    }),
    liveDefinition: createLiveDefinition({
      load: (workspaceId) => makeLoadBindings(ports)(workspaceId),
      api: serviceApi,
      now: clock.now,
    }),
    runLog: createMemoryRunLog({ now: clock.now, timer: clock.timer }),
    runControl: createMemoryRunControl(),
    runSlots: createMemoryRunSlots(),
    dsl: createDslFiles({ timer: realTimer }),
    fileStore: createMemoryFileStore({ now: clock.now }),
    fileLinks: createFileLinks([{ kid: 'test', key: 'k'.repeat(32) }]),
    challenges: createChallenges([{ kid: 'test', key: 'k'.repeat(32) }]),
    fetchFile: createFetchFile(egress),
    now: clock.now,
    timer: clock.timer,
    log,
  }
  const secrets = new Set<string>()
  const ports = recordingSecrets((await options.change?.(base, clock)) ?? base, secrets)
  const cases: UseCases = makeUseCases(ports, { ...SETTINGS, ...options.settings })

  const server = createHttpServer(options.patience)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo // a TCP listener's address is never a path
  const url = `http://127.0.0.1:${port}`
  const app = createHttpApp({
    cases,
    checkReadiness: options.checkReadiness ?? (async () => ({ failed: [], degraded: [] })),
    settings: { webOrigin: () => url, issuer: () => `${url}/openapi/v1`, corsOrigins: options.corsOrigins ?? [] },
    cookies: makeConsoleCookies({ secure: false, domain: null, ...options.cookies }),
    clientAddress: makeClientAddress(options.trustedProxies ?? []),
    isTrustedPeer: makeIsTrustedPeer(options.trustedProxies ?? []),
    brand: makeBrand(options.brand ?? OURS),
    countryOf: options.countryOf ?? null,
    log,
    now: clock.now,
    timer: clock.timer,
    version: '0.0.0-test',
    onAnswer: null,
    inTrace: options.inTrace ?? null,
    tracing: options.tracing ?? null,
    checkReplies: true,
  })
  const answers = conforming(app.callback())
  server.on('request', answers.listener)

  const { initPassword } = { ...SETTINGS, ...options.settings }
  const guarded = initPassword === null ? null : await cases.setUpGuard.unlock({ password: initPassword, ip: '::1' })
  const owner = await cases.setUp({ ...OWNER, pass: guarded?.pass ?? null })

  return {
    url,
    clock,
    ports,
    cases,
    owner,
    logLines,
    auditEvents,
    /** Real stores and their addresses, for tests that look inside; null on memory. */
    services: backing.services,
    ...visitorOf(url, OWNER),
    /** Another person in the owner's workspace. */
    async addMember(email: string, role: Role = 'normal') {
      const created = await cases.createAccount({
        email,
        name: email,
        password: OWNER.password,
        workspaceId: owner.workspaceId,
        role,
      })
      if ('refused' in created) throw new Error(`${email} is taken`)
      return created
    },
    /** Imports an app file as the owner. */
    async addApp(source: string, how: { name?: string; workspaceId?: string } = {}): Promise<string> {
      const workspaceId = how.workspaceId ?? owner.workspaceId
      const imported = await cases.importApp({ accountId: owner.accountId, workspaceId, source, name: how.name })
      if (imported.status === 'pending') throw new Error('the file is of a newer format')
      return imported.appId
    },
    /**
     * Searches what was logged so far for what looks like a secret of ours, and lets go of it: long tests must not
     * measure their own notes, and what they make up may stand in a line by chance.
     */
    forget() {
      expectNoSecret(logLines, new Set([...secrets].filter(looksSecret)))
      logLines.length = 0
      auditEvents.length = 0
      secrets.clear()
    },
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
      await sandbox.close()
      await backing.close()
      expectNoSecret(logLines, secrets)
      answers.expectNoMisfit()
    },
  }
}

export const SETTINGS: CoreSettings = {
  bearer: { enabled: true, perMinute: 60 },
  knownClientIds: ['difyctl', 'latchkey'],
  tokenTtlDays: 14,
  tokenRetentionDays: 30,
  traceRetentionDays: 30,
  uploads: {
    extensions: USUAL_EXTENSIONS,
    maxBytes: USUAL_MAX_BYTES,
    perRun: USUAL_FILES_PER_RUN,
    quota: USUAL_UPLOAD_QUOTA,
  },
  fileRetentionDays: 30,
  filesOrigin: null,
  fileLinkSeconds: 300,
  runsPerWorkspace: 0,
  decidePerHour: 10,
  accessMinutes: 60,
  refreshDays: 30,
  initPassword: null,
  consoleApiUrl: null,
  remoteIsolation: false,
}

const realTimer = (delayMs: number, fire: () => void) => {
  const handle = setTimeout(fire, delayMs)
  return () => clearTimeout(handle)
}

function openMemory(now: () => number) {
  const cache = createMemoryTokenCache({ now, ids: newId })
  const limiter = createMemoryRateLimiter({ now, cache })
  const flows = createMemoryDeviceFlowStore({ now })
  const nonces = createMemoryNonceGuard({ now })
  return { stores: { ...openMemoryStores(), flows, limiter, cache, nonces }, services: null, close: async () => {} }
}

async function openServices(now: () => number, log: Log) {
  const database = await createDatabase()
  const orm = await openPostgres({ url: database.url })
  const { redis, prefix, close } = await openTestRedis()
  const stores = {
    ...openStores(orm),
    flows: createRedisDeviceFlowStore(redis, { prefix, now, log }),
    limiter: createRedisRateLimiter(redis, { prefix, now }),
    cache: createRedisTokenCache(redis, { prefix, now }),
    nonces: createRedisNonceGuard(redis, { prefix, digest: sha256Hex }),
  }
  return {
    stores,
    services: { redis, prefix, orm, databaseUrl: database.url },
    async close() {
      const dumps = [await dumpRedis(redis.client, prefix), await dumpDatabase(orm)] as const
      await close()
      await orm.close()
      await database.drop()
      expectNothingHandedOut('Redis', dumps[0])
      expectNothingHandedOut('the database of a world', dumps[1])
    },
  }
}

function recordingLog(lines: { level: string; message: string; facts: unknown }[]): Log {
  const at =
    (level: string): LogLine =>
    (message, facts) =>
      void lines.push({ level, message, facts })
  return { info: at('info'), warn: at('warn'), error: at('error') }
}
