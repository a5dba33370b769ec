import type { JsonObject } from '#domain/app.ts'
import { textAt } from '#domain/json.ts'
import type { RunFailure } from '#domain/run.ts'

/** Why another server did not run an app, as its callers may read it: never the key, nothing of that server's insides. */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure'
  readonly failure: RunFailure

  constructor(failure: RunFailure, options?: ErrorOptions) {
    super(failure.message, options)
    this.failure = failure
  }
}

const MAX_DETAIL = 300
const DEFAULT_RETRY_AFTER_MS = 1000
/** What both servers call alike. */
const SHARED: readonly RunFailure['code'][] = [
  'invalid_param',
  'provider_not_initialize',
  'provider_quota_exceeded',
  'model_currently_not_support',
  'completion_request_error',
]

const CHECK_URL = 'The server of the app, or the address it is bound to, needs a look by whoever runs this one.'
export const CHECK_KEY = 'Whoever runs this server has to bind the app again, with a key that is valid there.'

/** A failure that only whoever runs this server, or that one, can mend. */
export function upstreamFailed(message: string, hint = CHECK_URL, cause?: unknown): UpstreamFailure {
  return new UpstreamFailure({ code: 'upstream_failed', message, hint }, { cause })
}

/** What the other server said of a failure, in an answer or inside a stream. */
export type Said = {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly retryAfter: string | null
}

/** The failure that an answer without a run, or an `error` event, means here. */
export function explain({ status, code, message, retryAfter }: Said, key: string): UpstreamFailure {
  const detail = clean(message, key)
  const shared = SHARED.find((one) => one === code)
  if (shared !== undefined) return new UpstreamFailure({ code: shared, message: detail || code })
  if (status === 401 || status === 403) return upstreamFailed('The server of the app refuses the key.', CHECK_KEY)
  if (status === 429 || code === 'rate_limit_error') {
    const seconds = Number(retryAfter ?? Number.NaN)
    const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds * 1000) : DEFAULT_RETRY_AFTER_MS
    return new UpstreamFailure({ code: 'rate_limit_error', message: 'The server of the app is busy.', retryAfterMs })
  }
  if (status === 413 || status === 415) {
    return new UpstreamFailure({
      code: 'invalid_param',
      message: detail || 'The server of the app takes no such file.',
    })
  }
  if (status === 404 && /conversation/i.test(detail)) {
    const message = 'The conversation does not exist any more where the app runs.'
    return new UpstreamFailure({ code: 'invalid_param', message })
  }
  const said = status < 500 && detail !== '' ? `: ${detail}` : '.'
  return upstreamFailed(`The server of the app answered with status ${status}${said}`)
}

/** Words of a stranger's server: short, plain, and without the key, should it repeat what it was sent. */
export function clean(text: string, key: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return (key === '' ? plain : plain.replaceAll(key, '***')).slice(0, MAX_DETAIL)
}

/** What `data` says went wrong, as its callers may read it; null when it says nothing. */
export function errorIn(data: JsonObject, key: string): string | null {
  const said = textAt(data, 'error')
  return said === '' ? null : clean(said, key)
}
