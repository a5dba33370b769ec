import type { OverQuota } from './upload-quota.ts'

/** One thing wrong with the input. `loc` is the path to it, outermost first; the received value is never repeated. */
export type InputIssue = {
  readonly type: string
  readonly loc: readonly (string | number)[]
  readonly msg: string
}

/** Why a node keeps an app from running, and what the operator can do about it. */
export type PreflightIssue = {
  readonly node: string
  readonly title: string
  readonly reason: string
  readonly fix: string
}

type None = Record<never, never>

/** Every expected refusal, with the facts its answer needs. */
export type ErrorFacts = {
  // RFC 8628 §3.5 and RFC 6749 §5.2
  authorization_pending: { readonly intervalS: number }
  slow_down: { readonly intervalS: number }
  expired_token: None
  access_denied: None
  unsupported_client: None
  unsupported_grant_type: None
  user_code_exhausted: None

  // Deciding a device code
  not_setup: None
  unauthorized: None
  csrf_mismatch: None
  account_not_initialized: None
  expired_or_unknown: None
  already_resolved: None
  approve_in_progress: None
  state_lost: None

  // External sign-on
  user_code_required: None
  invalid_user_code: None
  sso_assertion_required: None
  invalid_sso_assertion: None
  user_code_not_pending: None
  console_api_url_unset: None
  sso_initiate_failed: None
  sso_initiate_missing_url: None
  no_session: None
  invalid_session: None
  grant_csrf_mismatch: None
  user_code_mismatch: None
  email_belongs_to_dify_account: None
  session_already_consumed: None
  /** The Enterprise service or the identity provider did not answer as agreed. */
  enterprise_failed: None

  // Bearers
  bearer_required: None
  invalid_bearer: None
  bearer_auth_disabled: None
  wrong_subject_type: None
  insufficient_scope: { readonly required: string; readonly surface: 'read' | 'run' }
  rate_limited: { readonly retryAfterMs: number }

  // Console
  already_setup: None
  not_init_validated: None
  init_validate_failed: None
  authentication_failed: None
  foreign_origin: None

  // Resources; "exists, but not yours" uses the same code as "missing"
  not_found: None
  method_not_allowed: { readonly allow: readonly string[] }
  session_not_found: None
  workspace_not_found: None
  app_not_found: None
  service_api_disabled: None
  workspace_unavailable: None
  member_not_found: None
  account_not_found: None
  already_member: None
  last_owner: None
  workspace_membership_revoked: None
  subject_no_app_access: None
  access_check_failed: None
  permitted_apps_unavailable: None
  caller_not_mounted: None
  role_required: { readonly role: string }

  // Input
  invalid_input: { readonly issues: readonly InputIssue[] }
  /** The OAuth routes' own form of invalid input (RFC 6749 §5.2). */
  invalid_request: { readonly description: string }
  invalid_json: None
  unsupported_media_type: None
  payload_too_large: { readonly maxBytes: number }
  request_timeout: None
  headers_too_large: None
  malformed_request: None
  no_file_uploaded: None
  too_many_files: None
  file_too_large: { readonly maxBytes: number }
  /** Uploads leave after `retentionDays`, and by nothing else that a caller could do. */
  upload_quota_exceeded: OverQuota & { readonly retentionDays: number }
  /** `contradicted` when the bytes are not what the extension says. */
  unsupported_file_type: { readonly extension: string; readonly contradicted?: boolean }

  // Runs
  mode_not_runnable: None
  query_required_for_chat: None
  query_not_supported_for_workflow: None
  conversation_not_found: None
  conversation_completed: None
  workflow_not_found: None
  workflow_unusable: { readonly message: string }
  app_unavailable: None
  app_not_runnable: { readonly issues: readonly PreflightIssue[] }
  provider_not_initialize: {
    readonly message: string
    readonly hint?: string
    readonly issues?: readonly PreflightIssue[]
  }
  provider_quota_exceeded: { readonly message: string }
  model_currently_not_support: { readonly message: string }
  completion_request_error: { readonly message: string }
  invalid_param: { readonly message: string }
  /** The server that an app is bound to did not run it. */
  upstream_failed: { readonly message: string; readonly hint: string }
  rate_limit_error: { readonly message: string; readonly retryAfterMs: number }

  // Import
  dsl_invalid: { readonly message: string }
  import_not_found: None

  // Faults of ours or of what we stand on
  service_unavailable: None
  /** Of the probe alone; `failed` are names of ours. */
  not_ready: { readonly failed: readonly string[] }
  internal_server_error: None
}

export type ErrorCode = keyof ErrorFacts

/** The one error class of the core. Anything else that is thrown is a bug and answers 500. */
export class DomainError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'DomainError'
  readonly code: C
  readonly facts: ErrorFacts[C]

  constructor(code: C, facts: ErrorFacts[C], options?: ErrorOptions) {
    // A refusal is an answer: its code says all, and capturing a stack nobody reads would be a flood's dearest part.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(code, options)
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.facts = facts
  }
}
