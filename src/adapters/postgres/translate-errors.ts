import { DomainError } from '#domain/errors.ts'

/** What sockets, PostgreSQL (classes 08, 53, 57; query_canceled is a statement timeout) and lock timeouts report. */
const UNAVAILABLE_CODE =
  /^(?:E(?:CONN\w+|PIPE|TIMEDOUT|NOTFOUND|HOSTUNREACH|NETUNREACH|AI_AGAIN)|(?:08|53|57)\w{3}|25P0[34]|55P03)$/

/** The driver has no code for these. */
const UNAVAILABLE_MESSAGE =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout|PGlite is closed|instance is already closed|after calling end on the pool|driver has already been destroyed/

/** Whether the database, rather than the statement, is at fault. */
function isUnavailable(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if ('code' in at && typeof at.code === 'string' && UNAVAILABLE_CODE.test(at.code)) return true
    if (UNAVAILABLE_MESSAGE.test(at.message)) return true
  }
  return false
}

/** What PostgreSQL quotes rows in: keys and whole rows, with digests and emails in them. Faults are logged. */
const QUOTING = ['detail', 'where', 'internalQuery', 'query', 'params', 'parameters', 'sql'] as const

/** The same error without what it quotes; the constraint, code and stack say where to look. */
function withoutRows(error: unknown): unknown {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    for (const name of QUOTING) {
      const quoted: unknown = Reflect.get(at, name)
      if (quoted === undefined) continue
      Reflect.deleteProperty(at, name)
      if (typeof quoted !== 'string' || quoted === '') continue
      at.message = at.message.replaceAll(quoted, '…')
      at.stack = at.stack?.replaceAll(quoted, '…') ?? ''
    }
  }
  return error
}

/** The error as the core knows it; anything that is not the database being away stays what it is. */
export function translateError(error: unknown): unknown {
  if (error instanceof DomainError) return error
  if (!isUnavailable(error)) return withoutRows(error)
  return new DomainError('service_unavailable', {}, { cause: error })
}

/**
 * The same store, whose methods reject with DomainError `service_unavailable` when the database is away or too slow.
 * One wrapper, so that no method needs a catch of its own.
 */
export function translateErrors<Store extends object>(store: Store): Store {
  return new Proxy(store, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver)
      if (typeof method !== 'function') return method
      return async (...args: unknown[]) => {
        try {
          return await Reflect.apply(method, target, args)
        } catch (error) {
          throw translateError(error)
        }
      }
    },
  })
}
