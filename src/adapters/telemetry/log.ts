import { pino } from 'pino'
import type { Log } from '#application/ports/log.ts'

const REDACTED = ['token', 'password', 'secret', 'authorization', 'cookie', 'deviceCode', 'userCode', 'apiKey', 'key']

/**
 * Structured log lines on standard output; errors carry their causes, secrets are blanked by name. `traceId` tells which
 * trace a line belongs to.
 */
export function createLog(level: string, traceId: () => string | null = () => null): Log {
  const logger = pino({
    level,
    base: null,
    mixin() {
      const id = traceId()
      return id === null ? {} : { trace_id: id }
    },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { error: serialise },
    redact: { paths: REDACTED.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
  })
  return {
    info: (message, facts) => logger.info(facts, message),
    warn: (message, facts) => logger.warn(facts, message),
    error: (message, facts) => logger.error(facts, message),
  }
}

/** Name, message, stack and causes only: drivers hang queries, parameters and addresses on their errors. */
function serialise(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error)
  const { name, message, stack, cause } = error
  return { name, message, stack, ...(cause === undefined ? {} : { cause: serialise(cause) }) }
}
