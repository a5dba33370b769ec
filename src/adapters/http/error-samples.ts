import type { ErrorCode, ErrorFacts } from '#domain/errors.ts'
import { type RenderedError, renderError } from './errors.ts'

/** The codes whose answer depends on more than the code; total, so a new one does not compile without its sample. */
type Telling = { [C in ErrorCode]: keyof ErrorFacts[C] extends never ? never : C }[ErrorCode]

const facts: { readonly [C in Telling]: ErrorFacts[C] } = {
  authorization_pending: { intervalS: 5 },
  slow_down: { intervalS: 10 },
  insufficient_scope: { required: 'apps:run', surface: 'run' },
  rate_limited: { retryAfterMs: 12_000 },
  method_not_allowed: { allow: ['GET'] },
  role_required: { role: 'editor' },
  invalid_input: { issues: [{ type: 'string', loc: ['name'], msg: 'must be a string' }] },
  invalid_request: { description: 'client_id is required' },
  payload_too_large: { maxBytes: 1_048_576 },
  file_too_large: { maxBytes: 15_728_640 },
  upload_quota_exceeded: { of: 'person', what: 'bytes', max: 5_368_709_120, retentionDays: 30 },
  unsupported_file_type: { extension: 'exe' },
  workflow_unusable: { message: 'workflow_id must be a UUID' },
  app_not_runnable: {
    issues: [{ node: 'node-1', title: 'Look up', reason: 'no dataset is bound', fix: 'bind one with latchkey bind' }],
  },
  provider_not_initialize: { message: 'No model is configured', hint: 'set MODEL_BASE_URL and MODEL_NAME' },
  provider_quota_exceeded: { message: 'The model provider’s quota is used up' },
  model_currently_not_support: { message: 'The model is not available' },
  completion_request_error: { message: 'The model provider could not be reached' },
  invalid_param: { message: 'The model refused a parameter' },
  upstream_failed: {
    message: 'The server of the app refuses the key.',
    hint: 'Whoever runs this server has to bind the app again, with a key that is valid there.',
  },
  rate_limit_error: { message: 'The model provider asks to slow down', retryAfterMs: 3_000 },
  not_ready: { failed: ['database'] },
  dsl_invalid: { message: 'the app file names no mode' },
}

/** What the server answers to `code`, with facts made up. */
export function sampleError(code: ErrorCode): RenderedError {
  const known: Partial<Record<ErrorCode, ErrorFacts[ErrorCode]>> = facts
  // Facts and code belong together by the type of `facts`; a code that is not there has none.
  return renderError(code, (known[code] ?? {}) as never)
}
