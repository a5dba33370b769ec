import { DomainError } from '#domain/errors.ts'
import type { RunFailure } from '#domain/run.ts'

/** What a caller learns of a fault of ours: only that there was one. */
const SERVER_FAULT: RunFailure = {
  code: 'internal_server_error',
  message: 'The run failed because of a fault in the server.',
}

const STORE_AWAY: RunFailure = { code: 'service_unavailable', message: 'Service Unavailable' }

/** What a caller learns of anything that was thrown: a store that is away is no fault, and worth another try. */
export function failureBy(thrown: unknown): RunFailure {
  const isAway = thrown instanceof DomainError && thrown.code === 'service_unavailable'
  return isAway ? STORE_AWAY : SERVER_FAULT
}
