import { DomainError } from '#domain/errors.ts'
import type { Tracer } from './ports/tracer.ts'

/** The same methods; each call that is waited for becomes a span. Arguments and results are not looked at. */
export function traced<T extends object>(tracer: Tracer, room: string, methods: T): T {
  const wrapped = Object.entries(methods).map(([name, method]: [string, unknown]) => [
    name,
    typeof method === 'function' ? spanned(tracer, `${room}.${name}`, method.bind(methods)) : method,
  ])
  return Object.fromEntries(wrapped) as T // name by name, each with the same signature
}

function spanned(tracer: Tracer, name: string, method: (...given: unknown[]) => unknown) {
  return (...given: unknown[]): unknown => {
    const span = tracer.begin(name, 'internal')
    try {
      const result = span.within(() => method(...given))
      if (!(result instanceof Promise)) {
        span.end()
        return result
      }
      return result.then(
        (value: unknown) => {
          span.end()
          return value
        },
        (error: unknown) => {
          span.end({ fault: faultOf(error) })
          throw error
        },
      )
    } catch (error) {
      span.end({ fault: faultOf(error) })
      throw error
    }
  }
}

/** Messages quote what was received; a code or a class does not. */
export function faultOf(error: unknown): string {
  if (error instanceof DomainError) return error.code
  return error instanceof Error ? error.constructor.name : 'unknown'
}
