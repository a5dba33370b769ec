import autocannon from 'autocannon'
import type { ServerProcess } from './server-process.ts'

/** One request of a load; the same shape goes to both servers. */
export type Shot = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export type Load = {
  /** The next request; called once a request. */
  readonly next: () => Shot
  /** What every answer must be: a measurement of other answers would mean nothing. */
  readonly expectStatus: number
  /** What every answer must hold, where other answers have the same status. */
  readonly expectText?: string
  /** The load ends after this long, or after this many requests. */
  readonly until: { readonly seconds: number } | { readonly requests: number }
  readonly onBody?: (body: string) => void
}

export type Volley = {
  readonly requests: number
  readonly cpuSeconds: number
  readonly perCpuSecond: number
  readonly perSecond: number
  readonly p99Ms: number
}

const CONNECTIONS = 64
const SAMPLE_MS = 20

/**
 * Loads `server` and weighs the requests it answered by the CPU time that it took.
 * @throws Error when an answer is another than expected
 */
export async function volley(server: ServerProcess, load: Load): Promise<Volley> {
  let answered = 0
  const others = new Map<number, number>()
  const before = server.cpuSeconds()
  const startedAtMs = performance.now()
  const result = await autocannon({
    url: server.origin,
    connections: CONNECTIONS,
    // It looks whether it is done only as often as it takes samples, by itself once a second.
    sampleInt: SAMPLE_MS,
    ...('seconds' in load.until ? { duration: load.until.seconds } : { amount: load.until.requests }),
    requests: [
      {
        setupRequest: (request) => Object.assign(request, load.next()),
        onResponse: (status, body) => {
          if (status === load.expectStatus && body.includes(load.expectText ?? '')) answered++
          else others.set(status, (others.get(status) ?? 0) + 1)
          load.onBody?.(body)
        },
      },
    ],
  })
  const seconds = (performance.now() - startedAtMs) / 1000
  const cpuSeconds = server.cpuSeconds() - before
  if (result.errors > 0 || others.size > 0) {
    throw new Error(`${server.origin}: ${result.errors} errors, unexpected ${JSON.stringify([...others])}`)
  }
  return {
    requests: answered,
    cpuSeconds,
    perCpuSecond: answered / cpuSeconds,
    perSecond: answered / seconds,
    p99Ms: result.latency.p99,
  }
}
