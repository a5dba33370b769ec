import { AsyncLocalStorage } from 'node:async_hooks'

/** Carries the W3C trace context of a request to the calls that answering it makes. */
export type Trace = {
  /** Runs `work`, whose calls, also the later ones, are part of `traceparent`. */
  run<T>(traceparent: string, work: () => T): T
  /** The value to pass on; null outside of any trace. */
  current(): string | null
}

export function createTrace(): Trace {
  const storage = new AsyncLocalStorage<string>()
  return { run: (traceparent, work) => storage.run(traceparent, work), current: () => storage.getStore() ?? null }
}
