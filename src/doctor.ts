import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '#adapters/admin/usage-error.ts'
import { openPostgres } from '#adapters/postgres/open-orm.ts'
import { openRedis } from '#adapters/redis/open-redis.ts'
import { createSandbox } from '#adapters/runner-native/code/sandbox.ts'
import { createGuardedFetch } from '#adapters/runner-native/egress/guarded-fetch.ts'
import { now, timer } from './clock.ts'
import { type Config, ConfigError, generatedKey, loadConfig } from './config.ts'
import type { Environment, SigningKey } from './config-reader.ts'
import { openDatabase } from './database.ts'
import { checkBound } from './doctor/check-bound.ts'
import { checkDatabase, openForLook } from './doctor/check-database.ts'
import { checkDisk, checkSandbox } from './doctor/check-machine.ts'
import { checkModel } from './doctor/check-models.ts'
import { checkProxy } from './doctor/check-proxy.ts'
import { checkPublicUrls } from './doctor/check-public-urls.ts'
import { checkRedis } from './doctor/check-redis.ts'
import { checkSignOn } from './doctor/check-sign-on.ts'
import { type Finding, fail, ok, warn, within } from './doctor/finding.ts'
import { packageVersion } from './version.ts'

const LOOK_MS = 20_000
const QUERY_TIMEOUT_MS = 5_000
/** The first start of Python compiles some 10 MB. */
const SANDBOX_MS = 60_000

/**
 * `latchkey doctor`: looks at everything a server needs, changes nothing, and says what is wrong and how to mend it.
 * True unless something failed.
 * @throws UsageError
 */
export async function runDoctor(
  words: readonly string[],
  env: Environment,
  say: (line: string) => void,
): Promise<boolean> {
  const isJson = words[0] === '--json'
  if (words.length > (isJson ? 1 : 0)) throw new UsageError('doctor takes only --json')
  const findings = await examine(env)
  const worst = (['fail', 'warn'] as const).find((status) => findings.some((one) => one.status === status)) ?? 'ok'
  if (isJson) say(JSON.stringify({ status: worst, checks: findings }))
  else for (const finding of findings) for (const line of linesOf(finding)) say(line)
  return worst !== 'fail'
}

/** Everything that was found, in the order in which one would mend it. */
export async function examine(env: Environment): Promise<readonly Finding[]> {
  const read = readConfig(env)
  if (read.config === null) return read.findings
  const { config } = read
  const looks = [
    within('disk', LOOK_MS, () => checkDisk(config), 'see whether the disk of DATA_DIR hangs'),
    within('database', LOOK_MS, () => lookIntoDatabase(config), 'check DATABASE_URL, and the database’s own log'),
    within('redis', LOOK_MS, () => lookIntoRedis(config), 'check REDIS_URL, and the log of Redis'),
    within(
      'public urls',
      LOOK_MS,
      async () => checkPublicUrls(config, await packageVersion()),
      'see the balancer’s log',
    ),
    within('proxy', LOOK_MS, () => lookThroughProxy(config), 'see the balancer’s log'),
    within('model', LOOK_MS, () => lookAtModel(config), 'check MODEL_BASE_URL'),
    within('sign-on', LOOK_MS, () => checkSignOn(config.edition, timer, now), 'check what answers for sign-on'),
    within(
      'sandbox',
      SANDBOX_MS,
      () => lookIntoSandbox(config),
      'see whether this machine has processes and memory left',
    ),
  ]
  return [...read.findings, ...(await Promise.all(looks)).flat()]
}

function readConfig(env: Environment): { readonly config: Config | null; readonly findings: readonly Finding[] } {
  const name = 'configuration'
  try {
    const { config, warnings } = loadConfig(env)
    // What is said of a public origin is said beside the look at it.
    const others = warnings.filter((line) => !/^CONSOLE_\w+_URL is plain http/.test(line))
    const fix = 'change the named variable, or accept it'
    return { config, findings: [ok(name, 'can be started with'), ...others.map((line) => warn(name, line, fix))] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return {
      config: null,
      findings: error.faults.map((fault) => fail(name, fault, 'give the named variable such a value')),
    }
  }
}

async function lookIntoDatabase(config: Config): Promise<readonly Finding[]> {
  const { orm, findings } = await openForLook(config, () => openToLook(config))
  if (orm === null) return findings
  try {
    const found = await checkDatabase(orm, now)
    if (found.some(({ check, status }) => check === 'migrations' && status !== 'ok')) return found
    return [...found, ...(await checkBound(orm, await keysOf(config), createGuardedFetch({ rules: config.egress })))]
  } finally {
    await orm.close()
  }
}

/** A server that hangs must not hold up the other answers. */
function openToLook(config: Config) {
  if (config.databaseUrl === null) return openDatabase(config, null)
  return openPostgres({ url: config.databaseUrl, poolMax: 2, queryTimeoutMs: QUERY_TIMEOUT_MS })
}

async function keysOf({ secretKeys, dataDir }: Config): Promise<readonly SigningKey[]> {
  if (secretKeys !== null) return secretKeys
  const path = join(dataDir, 'secret_key')
  return existsSync(path) ? [generatedKey((await readFile(path, 'utf8')).trim())] : []
}

async function lookThroughProxy(config: Config): Promise<readonly Finding[]> {
  return checkProxy(config, await keysOf(config), await packageVersion(), now)
}

async function lookIntoRedis({ redisUrl, redisKeyPrefix }: Config): Promise<readonly Finding[]> {
  if (redisUrl === null) return [ok('redis', 'not used: one replica only')]
  return checkRedis((log) => openRedis({ url: redisUrl, keyPrefix: redisKeyPrefix, log }), redisUrl, now)
}

async function lookAtModel({ model }: Config): Promise<readonly Finding[]> {
  if (model.baseUrl === null)
    return [ok('model', 'MODEL_BASE_URL is not set: apps run on the models that workspaces bind')]
  if (model.baseUrl.startsWith('scripted:')) {
    return [
      warn('model', 'MODEL_BASE_URL is the built-in scripted model', 'name a real endpoint before people rely on it'),
    ]
  }
  const endpoint = { url: model.baseUrl, key: model.apiKey, model: model.name }
  const setBy = { address: 'MODEL_BASE_URL', key: 'MODEL_API_KEY', model: 'MODEL_NAME' }
  return [await checkModel({ ...endpoint, called: 'MODEL_BASE_URL', setBy })]
}

async function lookIntoSandbox({ limits }: Config): Promise<readonly Finding[]> {
  const sandbox = createSandbox({ timer, timeoutMs: limits.codeSeconds * 1000, size: 1, pythonSize: 1 })
  try {
    return await checkSandbox(sandbox)
  } finally {
    await sandbox.close()
  }
}

function linesOf({ check, status, what, fix }: Finding): readonly string[] {
  return [`${status.padEnd(5)} ${check}: ${what}`, ...(fix === null ? [] : [`      → ${fix}`])]
}
