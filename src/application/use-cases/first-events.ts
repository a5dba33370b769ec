import type { AppMode } from '#domain/app-mode.ts'
import { DomainError } from '#domain/errors.ts'
import type { RunEvent, RunFailure } from '#domain/run.ts'
import { isUnderway } from './carry-run.ts'

/**
 * Waits for the event that settles the status; the returned stream starts at the first one.
 * @throws DomainError of the failure that came before; `service_unavailable` when the events end without a word
 */
export async function firstEvents(mode: AppMode, events: AsyncIterable<RunEvent>): Promise<AsyncIterable<RunEvent>> {
  const iterator = events[Symbol.asyncIterator]()
  const seen: RunEvent[] = []
  for (;;) {
    const { done, value } = await iterator.next()
    if (done === true) throw new DomainError('service_unavailable', {})
    seen.push(value)
    if (isUnderway(mode, value)) break
    if (value.kind === 'failed') throw asRefusal(value.failure)
  }
  return (async function* () {
    yield* seen
    yield* { [Symbol.asyncIterator]: () => iterator }
  })()
}

/** A failure before the first byte, as the refusal with the same code. */
export function asRefusal({ code, message, retryAfterMs, hint = '' }: RunFailure): DomainError {
  switch (code) {
    case 'rate_limit_error':
      return new DomainError(code, { message, retryAfterMs: retryAfterMs ?? 1000 })
    case 'upstream_failed':
      return new DomainError(code, { message, hint })
    case 'service_unavailable':
    case 'internal_server_error':
      return new DomainError(code, {})
    default:
      return new DomainError(code, { message })
  }
}
