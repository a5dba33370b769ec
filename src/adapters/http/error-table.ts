import type { ErrorCode, ErrorFacts } from '#domain/errors.ts'

type Body = Readonly<Record<string, unknown>>

/**
 * How one refusal reads on the wire. `error` and `message` are the token unless the row says otherwise; a row
 * with a `sentence` has that as its message and the status name as its error. `code` is the status name.
 */
export type Row<Facts> = {
  readonly status: number
  readonly error?: string
  readonly code?: string
  readonly message?: (facts: Facts) => string
  readonly sentence?: (facts: Facts) => string
  readonly body?: (facts: Facts) => Body
  readonly headers?: (facts: Facts) => Readonly<Record<string, string>>
}

const REALM = 'Bearer realm="api"'
const INVALID_TOKEN = { 'WWW-Authenticate': `${REALM}, error="invalid_token"` }
const retryAfter = (seconds: number) => ({ 'Retry-After': String(seconds) })
const wholeSeconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000))
/** A run's failure: the code stands where older clients look for it, the message is for people. */
const runFailure = { message: ({ message }: { message: string }) => message }

/** The only place where a refusal meets HTTP; total, so a new code does not compile without its row. */
export const errorTable: { readonly [C in ErrorCode]: Row<ErrorFacts[C]> } = {
  // RFC 8628 §3.5: polling answers 400 with exactly these names, never 429 and never a challenge.
  authorization_pending: { status: 400, body: ({ intervalS }) => ({ interval: intervalS }) },
  slow_down: {
    status: 400,
    body: ({ intervalS }) => ({ interval: intervalS }),
    headers: ({ intervalS }) => retryAfter(intervalS),
  },
  expired_token: { status: 400 },
  access_denied: { status: 400 },
  unsupported_client: { status: 400 },
  unsupported_grant_type: { status: 400 },
  user_code_exhausted: { status: 503, headers: () => retryAfter(5) },

  not_setup: { status: 401 },
  unauthorized: { status: 401 },
  csrf_mismatch: { status: 401 },
  account_not_initialized: { status: 400 },
  expired_or_unknown: { status: 404 },
  already_resolved: { status: 409 },
  approve_in_progress: { status: 409 },
  state_lost: { status: 409 },

  user_code_required: { status: 400, sentence: () => 'user_code required' },
  invalid_user_code: { status: 400 },
  sso_assertion_required: { status: 400, sentence: () => 'sso_assertion required' },
  invalid_sso_assertion: { status: 400 },
  user_code_not_pending: { status: 409 },
  console_api_url_unset: { status: 502 },
  sso_initiate_failed: { status: 502 },
  sso_initiate_missing_url: { status: 502 },
  no_session: { status: 401 },
  invalid_session: { status: 401 },
  grant_csrf_mismatch: { status: 403, error: 'csrf_mismatch', message: () => 'csrf_mismatch' },
  user_code_mismatch: { status: 400 },
  email_belongs_to_dify_account: { status: 403 },
  session_already_consumed: { status: 401 },
  enterprise_failed: { status: 503, headers: () => retryAfter(5) },

  // RFC 6750 §3: no error code when the request brought no credentials.
  bearer_required: { status: 401, headers: () => ({ 'WWW-Authenticate': REALM }) },
  invalid_bearer: { status: 401, headers: () => INVALID_TOKEN },
  bearer_auth_disabled: { status: 503, headers: () => retryAfter(60) },
  wrong_subject_type: { status: 403, message: () => 'token subject type not accepted here' },
  insufficient_scope: {
    status: 403,
    message: ({ required, surface }) => (surface === 'read' ? `insufficient_scope: ${required}` : 'insufficient_scope'),
    headers: ({ required }) => ({
      'WWW-Authenticate': `${REALM}, error="insufficient_scope", scope="${required}"`,
    }),
  },
  rate_limited: {
    status: 429,
    headers: ({ retryAfterMs }) => retryAfter(wholeSeconds(retryAfterMs)),
    body: ({ retryAfterMs }) => ({ retry_after_ms: wholeSeconds(retryAfterMs) * 1000 }),
  },

  already_setup: { status: 403 },
  not_init_validated: { status: 401 },
  init_validate_failed: { status: 401 },
  authentication_failed: { status: 401 },
  foreign_origin: { status: 403 },

  // Also the answer to "exists, but not yours": ids must not leak across people and workspaces.
  not_found: { status: 404 },
  method_not_allowed: { status: 405, headers: ({ allow }) => ({ Allow: allow.join(', ') }) },
  session_not_found: { status: 404, sentence: () => 'session not found' },
  workspace_not_found: { status: 404, sentence: () => 'workspace not found' },
  app_not_found: { status: 404, sentence: () => 'app not found' },
  service_api_disabled: { status: 403 },
  workspace_unavailable: { status: 403, sentence: () => 'workspace unavailable' },
  workspace_membership_revoked: { status: 403 },
  subject_no_app_access: { status: 403 },
  access_check_failed: { status: 503, headers: () => retryAfter(5) },
  permitted_apps_unavailable: { status: 503, headers: () => retryAfter(5) },
  caller_not_mounted: { status: 401, error: 'unauthorized', message: () => 'unauthorized' },
  member_not_found: { status: 404, sentence: () => 'member not found' },
  // Owners and admins alone hear this; a server does not make accounts of what they type.
  account_not_found: { status: 404 },
  already_member: { status: 409 },
  last_owner: { status: 409 },
  role_required: { status: 403, sentence: ({ role }) => `this takes the role ${role} or above` },

  // The message is JSON text: older clients parse it.
  invalid_input: {
    status: 422,
    sentence: ({ issues }) => JSON.stringify(issues),
    body: ({ issues }) => ({ details: issues }),
  },
  invalid_request: { status: 400, body: ({ description }) => ({ error_description: description }) },
  invalid_json: { status: 400 },
  unsupported_media_type: { status: 415 },
  payload_too_large: { status: 413, body: ({ maxBytes }) => ({ hint: `at most ${maxBytes} bytes` }) },
  request_timeout: { status: 408 },
  headers_too_large: { status: 431 },
  malformed_request: { status: 400 },
  no_file_uploaded: { status: 400 },
  too_many_files: { status: 400 },
  file_too_large: { status: 413, body: ({ maxBytes }) => ({ hint: `at most ${maxBytes} bytes` }) },
  upload_quota_exceeded: {
    status: 413,
    body: ({ of, what, max, retentionDays }) => ({
      hint: `a ${of} may keep ${max} ${what} of uploads at once; each is removed ${retentionDays} days after it came`,
    }),
  },
  unsupported_file_type: {
    status: 415,
    body: ({ contradicted }) => ({
      hint: contradicted ? 'the content is not what the name says' : 'not an allowed type',
    }),
  },

  mode_not_runnable: { status: 422 },
  query_required_for_chat: { status: 422, body: () => queryIssue('query is required for chat apps') },
  query_not_supported_for_workflow: { status: 422, body: () => queryIssue('query is not supported for workflow apps') },
  conversation_not_found: { status: 404, sentence: () => 'Conversation Not Exists.' },
  conversation_completed: { status: 400, code: 'conversation_completed' },
  workflow_not_found: { status: 404, sentence: () => 'workflow not found' },
  workflow_unusable: { status: 400, sentence: ({ message }) => message },
  app_unavailable: { status: 400, code: 'app_unavailable' },
  app_not_runnable: { status: 422, code: 'app_not_runnable', body: ({ issues }) => ({ details: issues }) },
  upstream_failed: { status: 502, code: 'upstream_failed', ...runFailure, body: ({ hint }) => ({ hint }) },
  provider_not_initialize: {
    status: 400,
    code: 'provider_not_initialize',
    ...runFailure,
    body: ({ hint, issues }) => ({
      ...(hint === undefined ? {} : { hint }),
      ...(issues === undefined ? {} : { details: issues }),
    }),
  },
  provider_quota_exceeded: { status: 400, code: 'provider_quota_exceeded', ...runFailure },
  model_currently_not_support: { status: 400, code: 'model_currently_not_support', ...runFailure },
  completion_request_error: { status: 400, code: 'completion_request_error', ...runFailure },
  invalid_param: { status: 400, code: 'invalid_param', ...runFailure },
  rate_limit_error: {
    status: 429,
    code: 'rate_limit_error',
    ...runFailure,
    headers: ({ retryAfterMs }) => retryAfter(wholeSeconds(retryAfterMs)),
  },

  import_not_found: { status: 404, sentence: () => 'import not found' },
  dsl_invalid: { status: 400, error: 'dsl_invalid', message: ({ message }) => message },

  service_unavailable: { status: 503, headers: () => retryAfter(5) },
  not_ready: { status: 503, message: ({ failed }) => `not ready: ${failed.join(', ')}`, headers: () => retryAfter(1) },
  internal_server_error: { status: 500, message: () => 'Internal Server Error' },
}

function queryIssue(msg: string): Body {
  return { details: [{ type: 'value_error', loc: ['query'], msg }] }
}
