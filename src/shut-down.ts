import type { Server } from 'node:http'
import type { Log } from '#application/ports/log.ts'
import type { Config } from './config.ts'
import type { Core } from './core.ts'

/** What serves until then. */
type Serving = {
  readonly core: Pick<Core, 'readiness' | 'stopRuns'>
  readonly server: Server
  /** Takes no more work; resolves when what was taken is answered. */
  readonly drain: () => Promise<void>
  /** Answers that are being made, also those whose caller has gone. */
  readonly underway: ReadonlySet<Promise<void>>
  readonly admin: { close(): Promise<void> } | null
}

/** After the grace time: what is left to write, and the stores to close. */
const CLOSE_MS = 2000
/** What was cut off may still be asking a store, which must not be closed under it. */
const LAST_WORDS_MS = 1000

/** Waits until the process is told to stop, and resolves when its stores may be closed. */
export async function shutDownWhenTold(
  serving: Serving,
  { shutdownDelayS, shutdownGraceS }: Pick<Config, 'shutdownDelayS' | 'shutdownGraceS'>,
  log: Log,
): Promise<void> {
  await new Promise<void>((stopped) => {
    const stop = () => {
      serving.core.readiness.drain()
      exitAfter((shutdownDelayS + shutdownGraceS) * 1000 + CLOSE_MS, log)
      void pause(shutdownDelayS * 1000)
        .then(() => shutDown(serving, shutdownGraceS * 1000))
        .then(() => within(LAST_WORDS_MS, Promise.allSettled(serving.underway)))
        .then(stopped)
    }
    process.once('SIGTERM', stop).once('SIGINT', stop)
  })
}

/** Time for a balancer to hear from the probe that nobody is to be sent here any more. */
function pause(ms: number): Promise<void> {
  return ms === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms))
}

/** A store that hangs must not hold a stopping process until it is killed, with no word of why. */
function exitAfter(delayMs: number, log: Log): void {
  const exit = () => {
    log.error('a store does not let go; stopped without it')
    process.exit(1)
  }
  setTimeout(exit, delayMs).unref()
}

/** Stops taking work, lets answers, streams and runs end, then closes what is left. */
async function shutDown({ core, server, drain, admin }: Serving, graceMs: number): Promise<void> {
  const ended = Promise.all([core.stopRuns(), drain()])
  await within(graceMs, ended)
  server.closeAllConnections()
  await admin?.close()
}

/** Waits for `work`, but no longer than `ms`. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let handle: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    handle = setTimeout(resolve, ms)
  })
  await Promise.race([work, late])
  clearTimeout(handle)
}
