import type { Server } from 'node:http'
import { newSocketPath, serveAdminSocket } from '#adapters/admin/admin-socket.ts'
import { runAdminCommand } from '#adapters/admin/run-command.ts'
import { createHttpApp } from '#adapters/http/app.ts'
import { makeClientAddress, makeIsTrustedPeer } from '#adapters/http/client-address.ts'
import { makeConsoleCookies } from '#adapters/http/cookies.ts'
import { serveUntilDrained } from '#adapters/http/drain.ts'
import { createHttpServer } from '#adapters/http/http-server.ts'
import { makeBrand } from '#adapters/http/pages/brand.ts'
import type { Metrics } from '#adapters/telemetry/metrics.ts'
import type { Log } from '#application/ports/log.ts'
import { startBackground } from './background.ts'
import { now, timer } from './clock.ts'
import type { Config } from './config.ts'
import { isLoopback } from './config-reader.ts'
import { type Core, openCore, type Watching } from './core.ts'
import { listen } from './listen.ts'
import { serveMetrics } from './metrics-server.ts'
import { shutDownWhenTold } from './shut-down.ts'
import type { Tracing } from './tracing.ts'
import { packageVersion } from './version.ts'

type Scraped = Awaited<ReturnType<typeof serveMetrics>>

/** Serves until it is told to stop. `say` takes the lines a person reads at the start. */
export async function serve(
  config: Config,
  log: Log,
  say: (line: string) => void,
  tracing: Tracing | null = null,
): Promise<void> {
  const socketPath = config.databaseUrl === null ? newSocketPath() : null
  const metrics = config.metricsPort === null ? null : await loadMetrics()
  const core = await openCore(config, socketPath, log, { metrics, tracing })
  const server = createHttpServer()
  let scraped: Scraped | null = null
  try {
    // First of all that listens: with the operators' socket open, a taken METRICS_PORT would end nothing.
    if (metrics !== null) scraped = await serveMetrics(metrics, config.host, config.metricsPort ?? 0)
    await serveCore(core, server, socketPath, config, log, say, { metrics, tracing, scraped })
  } finally {
    server.close()
    await scraped?.close()
    await core.close()
    await tracing?.close()
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
  { metrics = null, tracing = null, scraped }: Watching & { readonly scraped: Scraped | null },
): Promise<void> {
  const version = await packageVersion()
  // From here to the handler nothing may wait: a request in between would never be answered.
  const address = await listen(server, config.host, config.port)
  const answer = httpApp(core, config, log, { address, version, metrics, tracing }).callback()
  const underway = new Set<Promise<void>>()
  const drain = serveUntilDrained(server, (request, response) => {
    const answered = answer(request, response).finally(() => underway.delete(answered))
    underway.add(answered)
    return answered
  })
  const isNew = (await core.cases.owner()) === null
  const admin =
    socketPath === null ? null : await serveAdminSocket(socketPath, (command) => runAdminCommand(core.cases, command))

  say(`Latchkey serves at ${address}`)
  const pages = config.consoleWebUrl ?? address
  say(isNew ? `First visit: ${pages}/install creates your account` : `Approve terminals at ${pages}/device`)
  if (scraped !== null) log.info('metrics', { url: scraped.url })
  if (config.databaseUrl === null) say(`Embedded database in ${config.dataDir}`)
  if (config.redisUrl === null) say('In-process limits and device codes: run one replica only (REDIS_URL shares them)')

  // What cannot be loaded fails the runs that need it, not the server.
  core.prepare().catch((error: unknown) => log.error('prepare', { error }))
  const background = startBackground({ cases: core.cases, prunes: config.prunesTokens, now, timer, log })
  await shutDownWhenTold({ core, server, drain, underway, admin }, config, log)
  await background.stop()
}

function httpApp(
  core: Core,
  config: Config,
  log: Log,
  {
    address,
    version,
    metrics = null,
    tracing = null,
  }: Watching & { readonly address: string; readonly version: string },
) {
  const own = isLoopback(config.host) ? address : null
  const isTrustedPeer = makeIsTrustedPeer(config.trustedProxies)
  return createHttpApp({
    cases: core.cases,
    checkReadiness: core.readiness.checkReadiness,
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
    isTrustedPeer,
    brand: makeBrand(config.pages.brand),
    countryOf: config.pages.countryOf,
    log,
    now,
    timer,
    version,
    onAnswer: metrics?.answered ?? null,
    inTrace: core.inTrace,
    tracing: tracing === null ? null : { tracer: tracing.tracer, isTrusted: isTrustedPeer },
    checkReplies: false,
  })
}

function isHttps({ consoleApiUrl, consoleWebUrl }: Config): boolean {
  return [consoleApiUrl, consoleWebUrl].every((url) => url?.startsWith('https:') === true)
}

async function loadMetrics(): Promise<Metrics> {
  const { createMetrics } = await import('#adapters/telemetry/metrics.ts')
  return createMetrics(await packageVersion())
}
