import { isAbsolute, resolve } from 'node:path'
import {
  BARE_KID,
  type Environment,
  isCidr,
  isDomain,
  isHost,
  isLine,
  isListener,
  isLoopback,
  isOrigin,
  isReadOnTheWay,
  isWord,
  makeReader,
  type SigningKey,
} from './config-reader.ts'
import { type Edition, readEdition } from './edition.ts'
import { type PagesConfig, readPagesConfig } from './pages-config.ts'
import { readRunLimits } from './run-limits.ts'
import { readTracing, type TracingConfig } from './tracing.ts'
import { readUploads, type UploadsConfig } from './uploads-config.ts'

/** Everything an operator can choose, read once at start. */
export type Config = {
  readonly host: string
  readonly port: number
  /** Null means the embedded database in `dataDir`. */
  readonly databaseUrl: string | null
  /** Null means in-process stores: one replica only. */
  readonly redisUrl: string | null
  readonly redisKeyPrefix: string
  readonly dataDir: string
  /** Null means: keep one in `dataDir`. The first key signs, all verify. */
  readonly secretKeys: readonly SigningKey[] | null
  readonly consoleApiUrl: string | null
  readonly consoleWebUrl: string | null
  readonly cookieDomain: string | null
  readonly trustedProxies: readonly string[]
  readonly edition: Edition
  readonly bearerEnabled: boolean
  readonly knownClientIds: readonly string[]
  readonly corsOrigins: readonly string[]
  readonly bearerPerMinute: number
  readonly decidePerHour: number
  /** Runs of one workspace at once, over all replicas; 0 is no limit. */
  readonly runsPerWorkspace: number
  readonly tokenTtlDays: number
  readonly prunesTokens: boolean
  readonly tokenRetentionDays: number
  readonly traceRetentionDays: number
  readonly accessMinutes: number
  readonly refreshDays: number
  /** Null lets whoever comes first set the server up. */
  readonly initPassword: string | null
  readonly model: { readonly baseUrl: string | null; readonly apiKey: string | null; readonly name: string | null }
  /** Networks and hosts that apps may reach although they are not public. */
  readonly egress: { readonly allowCidrs: readonly string[]; readonly allowHosts: readonly string[] }
  /** What runs of apps may take. */
  readonly limits: ReturnType<typeof readRunLimits>
  readonly uploads: UploadsConfig
  readonly logLevel: string
  readonly shutdownGraceS: number
  /** How long requests are still taken while the probe already says that they should go elsewhere. */
  readonly shutdownDelayS: number
  /** Null serves no metrics; 0 takes a free port. */
  readonly metricsPort: number | null
  readonly pages: PagesConfig
  /** Null sends no spans. */
  readonly tracing: TracingConfig | null
}

/** A configuration that cannot be started with: one line a fault, naming the variable, never its value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']
const TTL_DAYS = { fallback: 14, min: 1, max: 365 }

/**
 * Parses the environment; empty counts as unset. `warnings` are values that were bent, one line each.
 * @throws ConfigError with every fault at once
 */
export function loadConfig(env: Environment): { readonly config: Config; readonly warnings: readonly string[] } {
  const faults: string[] = []
  const warnings: string[] = []
  const read = makeReader(env, (name, wanted) => faults.push(`${name} must be ${wanted}`))

  const host = read.named('HOST', isListener, 'an IP address or a host name') ?? '127.0.0.1'
  const consoleApiUrl = read.origin('CONSOLE_API_URL')
  const consoleWebUrl = read.origin('CONSOLE_WEB_URL')
  const databaseUrl = read.url('DATABASE_URL', ['postgres:', 'postgresql:'])
  const secretKeys = read.secretKeys('SECRET_KEY')
  if (databaseUrl !== null && !env.SECRET_KEY) {
    faults.push('SECRET_KEY must be set when DATABASE_URL is: every replica has to share it')
  }
  if (!isLoopback(host) && consoleWebUrl === null && !env.CONSOLE_WEB_URL) {
    faults.push('CONSOLE_WEB_URL must be set when HOST is not a loopback address: people are sent there to sign in')
  }
  for (const [name, origin] of Object.entries({ CONSOLE_API_URL: consoleApiUrl, CONSOLE_WEB_URL: consoleWebUrl })) {
    if (origin !== null && isReadOnTheWay(origin)) {
      warnings.push(`${name} is plain http: passwords and tokens can be read on the way; put TLS in front`)
    }
  }
  const { edition, warnings: ofEdition } = readEdition(read, consoleApiUrl, (line) => faults.push(line))
  warnings.push(...ofEdition)
  const config: Config = {
    host,
    port: read.whole('PORT', 5001, 0, 65535),
    databaseUrl,
    redisUrl: read.url('REDIS_URL', ['redis:', 'rediss:', 'redis+cluster:', 'rediss+cluster:']),
    redisKeyPrefix: read.named('REDIS_KEY_PREFIX', isWord(64), 'up to 64 characters without blanks') ?? 'latchkey:',
    dataDir: absolute(read.text('DATA_DIR') ?? './data'),
    secretKeys,
    consoleApiUrl,
    consoleWebUrl,
    cookieDomain: read.named('COOKIE_DOMAIN', isDomain, 'a domain name'),
    trustedProxies: read.list('TRUSTED_PROXIES', isCidr, 'a comma-separated list of CIDRs') ?? [],
    edition,
    bearerEnabled: read.flag('ENABLE_OAUTH_BEARER', true),
    knownClientIds: read.list('OPENAPI_KNOWN_CLIENT_IDS', isWord(64), 'a comma-separated list of client ids') ?? [
      'difyctl',
      'latchkey',
    ],
    corsOrigins: (read.list('OPENAPI_CORS_ALLOW_ORIGINS', isOrigin, 'a comma-separated list of origins') ?? []).map(
      (origin) => new URL(origin).origin,
    ),
    bearerPerMinute: read.whole('OPENAPI_RATE_LIMIT_PER_TOKEN', 60, 0, 1_000_000),
    decidePerHour: read.whole('DEVICE_FLOW_APPROVE_RATE_LIMIT_PER_HOUR', 10, 0, 1_000_000),
    runsPerWorkspace: read.whole('RUNS_PER_WORKSPACE', 0, 0, 1_000_000),
    tokenTtlDays: tokenTtlDays(env.OAUTH_TTL_DAYS, (warning) => warnings.push(warning)),
    prunesTokens: read.flag('ENABLE_CLEAN_OAUTH_ACCESS_TOKENS_TASK', true),
    tokenRetentionDays: read.whole('OAUTH_ACCESS_TOKEN_RETENTION_DAYS', 30, 0, 36_500),
    traceRetentionDays: read.whole('RUN_TRACE_RETENTION_DAYS', 30, 0, 36_500),
    accessMinutes: read.whole('ACCESS_TOKEN_EXPIRE_MINUTES', 60, 1, 1440),
    refreshDays: read.whole('REFRESH_TOKEN_EXPIRE_DAYS', 30, 1, 365),
    initPassword: read.text('INIT_PASSWORD'),
    model: {
      baseUrl: read.modelUrl('MODEL_BASE_URL'),
      apiKey: read.named('MODEL_API_KEY', isWord(4096), 'one line without blanks'),
      name: read.named('MODEL_NAME', isLine(256), 'the name of a model'),
    },
    egress: {
      allowCidrs: read.list('EGRESS_ALLOW_CIDRS', isCidr, 'a comma-separated list of CIDRs') ?? [],
      allowHosts:
        read.list('EGRESS_ALLOW_HOSTS', isHost, 'a comma-separated list of host names, each with or without a port') ??
        [],
    },
    limits: readRunLimits(read),
    uploads: readUploads(
      read,
      consoleApiUrl,
      (line) => faults.push(line),
      (line) => warnings.push(line),
    ),
    logLevel: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    shutdownGraceS: read.whole('SHUTDOWN_GRACE_S', 20, 0, 600),
    shutdownDelayS: read.whole('SHUTDOWN_DELAY_S', 0, 0, 60),
    tracing: readTracing(
      read,
      env,
      (name, wanted) => faults.push(`${name} must be ${wanted}`),
      (line) => warnings.push(line),
    ),
    pages: readPagesConfig(read, (name, wanted) => faults.push(`${name} must be ${wanted}`)),
    metricsPort: read.text('METRICS_PORT') === null ? null : read.whole('METRICS_PORT', 0, 0, 65535),
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return { config, warnings }
}

/** The one value that is bent instead of refused, so that an old deployment keeps starting. */
function tokenTtlDays(text: string | undefined, warn: (warning: string) => void): number {
  const { fallback, min, max } = TTL_DAYS
  if (text === undefined || text.trim() === '') return fallback
  const days = Number(text)
  if (!Number.isInteger(days)) {
    warn(`OAUTH_TTL_DAYS is not a whole number; using ${fallback}`)
    return fallback
  }
  const clamped = Math.min(Math.max(days, min), max)
  if (clamped !== days) warn(`OAUTH_TTL_DAYS is outside ${min}…${max}; using ${clamped}`)
  return clamped
}

/** The key generated into the data directory, as configuration would name it. */
export function generatedKey(key: string): SigningKey {
  return { kid: BARE_KID, key }
}

function absolute(path: string): string {
  return isAbsolute(path) ? path : resolve(path)
}
