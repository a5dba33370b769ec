import { APIError } from 'openai'
import type { RunFailure } from '#domain/run.ts'
import { EgressFailure } from '../egress/http-egress.ts'
import type { ModelRequest } from './model-client.ts'

const DEFAULT_RETRY_AFTER_MS = 1000
const MAX_DETAIL = 300
/** How servers answer for models that cannot call functions; each has its own words. */
const TOOLS_REFUSED = [400, 404, 422, 500, 501]

/** The failure as the caller may read it: the operator's key and address stay out of it. */
export function endpointFailure(error: unknown, apiKey: string | null, { tools = [] }: ModelRequest): RunFailure {
  if (!(error instanceof APIError) || error.status === undefined) {
    const { cause } = error instanceof Error ? error : {}
    if (cause instanceof EgressFailure) {
      return { code: 'completion_request_error', message: `The model could not be reached: ${cause.message}` }
    }
    return { code: 'completion_request_error', message: 'The model could not be reached.' }
  }
  const detail = detailOf(error, apiKey)
  if (error.status === 401 || error.status === 403) {
    return { code: 'provider_not_initialize', message: "The model refused the server's credentials." }
  }
  if (error.status === 402 || error.code === 'insufficient_quota') {
    return { code: 'provider_quota_exceeded', message: "The model's quota is used up." }
  }
  if (tools.length > 0 && TOOLS_REFUSED.includes(error.status) && /tool|function/i.test(detail)) {
    return { code: 'model_currently_not_support', message: `The model takes no tools${detail}` }
  }
  if (error.status === 404)
    return { code: 'model_currently_not_support', message: `The model is not available${detail}` }
  if (error.status === 429) {
    return { code: 'rate_limit_error', message: 'The model is busy.', retryAfterMs: retryAfterMs(error.headers) }
  }
  return { code: 'completion_request_error', message: `The model answered with status ${error.status}${detail}` }
}

function detailOf(error: APIError, apiKey: string | null): string {
  const body: unknown = error.error
  const said = typeof body === 'object' && body !== null && 'message' in body ? body.message : null
  if (typeof said !== 'string' || said === '') return '.'
  const safe = apiKey === null || apiKey === '' ? said : said.replaceAll(apiKey, '***')
  return `: ${safe.slice(0, MAX_DETAIL)}`
}

/** RFC 9110 §10.2.3; a date is not worth reading for a hint. */
function retryAfterMs(headers: Headers | undefined): number {
  const seconds = Number(headers?.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds * 1000) : DEFAULT_RETRY_AFTER_MS
}
