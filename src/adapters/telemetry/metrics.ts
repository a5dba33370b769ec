import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { AppRunner } from '#application/ports/app-runner.ts'
import type { RateLimiter } from '#application/ports/rate-limiter.ts'
import type { TokenCache } from '#application/ports/token-cache.ts'
import { isEnding } from '#domain/run.ts'
import { registerGauges, type Sources } from './gauges.ts'
import { meteredModels } from './model-metrics.ts'

/** From a cached answer to the longest run; seconds. */
const REQUEST_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600]
const RUN_BUCKETS_S = [0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1200]
const NODE_BUCKETS_S = [0.001, 0.01, 0.05, 0.25, 1, 5, 30, 120, 600]
/** More than there are kinds of nodes: only what no table of ours bounds could ever come near. */
const MAX_NODE_TYPES = 100

/** One answered request. `route` is the template, never the path: ids and codes must not become labels. */
export type Answered = {
  readonly method: string
  readonly route: string
  readonly status: number
  /** Until the last byte, so a stream counts until its end. */
  readonly seconds: number
}

/** What a scraper is told, and the stores whose work is counted. */
export type Metrics = {
  readonly contentType: string
  /** Everything, in the text format of Prometheus. */
  expose(): Promise<string>
  answered(answer: Answered): void
  ofLimiter(limiter: RateLimiter): RateLimiter
  ofCache(cache: TokenCache): TokenCache
  ofRunner(runner: AppRunner): AppRunner
  readonly modelCall: ReturnType<typeof meteredModels>
  /** Takes in what is read at each scrape; once. */
  watch(sources: Sources): void
}

/** Counters of one process. Labels are names of ours only: routes, limits, modes, kinds of nodes. */
export function createMetrics(version: string): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  new Gauge({ name: 'latchkey_build_info', help: 'Always 1.', labelNames: ['version'], registers }).set({ version }, 1)
  return {
    contentType: registry.contentType,
    expose: () => registry.metrics(),
    answered: countAnswers(registers),
    ...meteredStores(registers),
    ofRunner: meteredRunner(registers),
    modelCall: meteredModels(registers),
    watch: (sources) => registerGauges(registers, sources),
  }
}

function countAnswers(registers: Registry[]): Metrics['answered'] {
  const requests = new Counter({
    name: 'latchkey_http_requests_total',
    help: 'Requests answered.',
    labelNames: ['method', 'route', 'status'],
    registers,
  })
  const durations = new Histogram({
    name: 'latchkey_http_request_duration_seconds',
    help: 'From the first header to the last byte.',
    labelNames: ['method', 'route'],
    buckets: REQUEST_BUCKETS_S,
    registers,
  })
  return ({ method, route, status, seconds }) => {
    requests.inc({ method, route, status })
    durations.observe({ method, route }, seconds)
  }
}

function meteredStores(registers: Registry[]): Pick<Metrics, 'ofLimiter' | 'ofCache'> {
  const decisions = new Counter({
    name: 'latchkey_rate_limit_decisions_total',
    help: 'Calls that a limit admitted or refused.',
    labelNames: ['limit', 'outcome'],
    registers,
  })
  const reads = new Counter({
    name: 'latchkey_token_cache_reads_total',
    help: 'Bearer tokens looked up in the cache: hit, miss, or known to be invalid.',
    labelNames: ['result'],
    registers,
  })
  const writes = new Counter({
    name: 'latchkey_token_cache_writes_total',
    help: 'Writes to the cache of bearer tokens.',
    labelNames: ['kind'],
    registers,
  })
  const counted =
    <A extends readonly unknown[]>(kind: string, write: (...args: A) => Promise<void>) =>
    (...args: A) => {
      writes.inc({ kind })
      return write(...args)
    }
  return {
    ofLimiter: (limiter) => ({
      ...limiter,
      async admit(buckets, cacheKey) {
        const admission = await limiter.admit(buckets, cacheKey)
        if (cacheKey !== undefined) reads.inc({ result: admission.cached.kind })
        for (const [at, { key }] of buckets.entries()) {
          // Behind the colon stand addresses, digests and ids.
          const [limit = ''] = key.split(':')
          decisions.inc({ limit, outcome: at === admission.refusedBy ? 'refused' : 'admitted' })
        }
        return admission
      },
    }),
    ofCache: (cache) => ({
      put: counted('put', cache.put),
      putMiss: counted('put_miss', cache.putMiss),
      invalidate: counted('invalidate', cache.invalidate),
      forget: counted('forget', cache.forget),
      recordVerdict: counted('record_verdict', cache.recordVerdict),
    }),
  }
}

function meteredRunner(registers: Registry[]): Metrics['ofRunner'] {
  const underway = new Gauge({
    name: 'latchkey_runs_underway',
    help: 'Runs that this process carries.',
    labelNames: ['mode'],
    registers,
  })
  const runs = new Counter({
    name: 'latchkey_runs_total',
    help: 'Runs that ended, by how; "broken" is a fault of ours.',
    labelNames: ['mode', 'ending'],
    registers,
  })
  const durations = new Histogram({
    name: 'latchkey_run_duration_seconds',
    help: 'From the start of a run to its end.',
    labelNames: ['mode'],
    buckets: RUN_BUCKETS_S,
    registers,
  })
  const nodes = new Counter({
    name: 'latchkey_nodes_total',
    help: 'Nodes that ended.',
    labelNames: ['type', 'status'],
    registers,
  })
  const nodeDurations = new Histogram({
    name: 'latchkey_node_duration_seconds',
    help: 'From the start of a node to its end.',
    labelNames: ['type'],
    buckets: NODE_BUCKETS_S,
    registers,
  })
  const typeOf = atMost(MAX_NODE_TYPES)
  return (runner) => ({
    preflight: (...args) => runner.preflight(...args),
    async *run(job, signal) {
      const { mode } = job.app
      const end = durations.startTimer({ mode })
      let ending = 'broken'
      underway.inc({ mode })
      try {
        for await (const step of runner.run(job, signal)) {
          if (step.kind === 'node_finished') {
            const type = typeOf(step.nodeType)
            nodes.inc({ type, status: step.status })
            nodeDurations.observe({ type }, step.elapsedS)
          }
          if (isEnding(step) || step.kind === 'paused') ending = step.kind
          yield step
        }
      } finally {
        underway.dec({ mode })
        runs.inc({ mode, ending })
        end()
      }
    },
  })
}

/** Lets the first `max` names pass; every later one is `other`. */
function atMost(max: number): (name: string) => string {
  const known = new Set<string>()
  return (name) => {
    if (known.size < max) known.add(name)
    return known.has(name) ? name : 'other'
  }
}
