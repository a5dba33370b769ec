import type { Clock, Timer } from '#application/ports/clock.ts'
import type { Log } from '#application/ports/log.ts'
import type { UseCases } from '#application/use-cases.ts'
import { untilHourUtcMs } from '#domain/daily.ts'

const USAGE_FLUSH_MS = 10_000
const TEND_MS = 10_000
const PRUNE_HOUR_UTC = 5

type Needs = {
  readonly cases: Pick<UseCases, 'tokenUsage' | 'pruneEndedTokens' | 'pruneFiles' | 'pruneTraces' | 'tendRuns'>
  /** Of tokens; files and traces are always kept for as long as an operator says. */
  readonly prunes: boolean
  readonly now: Clock
  readonly timer: Timer
  readonly log: Log
}

/** What a server does between requests; `stop` ends it and writes what is still held. */
export function startBackground({ cases, prunes, now, timer, log }: Needs): { stop(): Promise<void> } {
  const stopping = new AbortController()
  let pruning: Promise<unknown> = Promise.resolve()

  const endFlushing = repeat(
    timer,
    () => USAGE_FLUSH_MS,
    () => void cases.tokenUsage.flush(),
  )
  const endTending = repeat(
    timer,
    () => TEND_MS,
    () => void tend(),
  )
  const endPruning = repeat(
    timer,
    () => untilHourUtcMs(PRUNE_HOUR_UTC, now()),
    () => {
      pruning = Promise.all([prunes ? prune() : null, pruneFiles(), pruneTraces()])
    },
  )

  async function tend(): Promise<void> {
    try {
      await cases.tendRuns()
    } catch (error) {
      log.error('runs could not be tended', { error })
    }
  }

  async function prune(): Promise<void> {
    try {
      const pruned = await cases.pruneEndedTokens(stopping.signal)
      if (pruned !== null) log.info('pruned ended tokens', pruned)
    } catch (error) {
      log.error('ended tokens could not be pruned', { error })
    }
  }

  async function pruneFiles(): Promise<void> {
    try {
      log.info('pruned files', await cases.pruneFiles(stopping.signal))
    } catch (error) {
      log.error('files could not be pruned', { error })
    }
  }

  async function pruneTraces(): Promise<void> {
    try {
      log.info('pruned traces of runs', { nodes: await cases.pruneTraces(stopping.signal) })
    } catch (error) {
      log.error('traces of runs could not be pruned', { error })
    }
  }

  return {
    async stop() {
      endFlushing()
      endPruning()
      endTending()
      stopping.abort()
      await pruning
      await cases.tokenUsage.flush({ everything: true })
    },
  }
}

/** Does `work` after each delay, until the returned function is called. */
function repeat(timer: Timer, delayMs: () => number, work: () => void): () => void {
  let cancel = timer(delayMs(), fire)
  function fire() {
    cancel = timer(delayMs(), fire)
    work()
  }
  return () => cancel()
}
