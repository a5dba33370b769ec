import type { Tracer } from '#application/ports/tracer.ts'
import { traced } from '#application/traced.ts'

/** Stores by port, each of whose calls becomes a span; what is one function becomes one span too. */
export function tracedStores<T extends object>(tracer: Tracer | null, stores: T): T {
  if (tracer === null) return stores
  const wrapped = Object.entries(stores).map(([name, store]: [string, object]) => [
    name,
    typeof store === 'function'
      ? Reflect.get(traced(tracer, 'store', { [name]: store }), name)
      : traced(tracer, name, store),
  ])
  return Object.fromEntries(wrapped) as T // name by name, each with the same methods
}
