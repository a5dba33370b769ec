import { expect } from 'chai'
import { errorTable } from '#adapters/http/error-table.ts'
import { type RenderedError, renderError } from '#adapters/http/errors.ts'
import type { ErrorCode, ErrorFacts } from '#domain/errors.ts'

const ISSUES = [{ type: 'min_value', loc: ['page'], msg: 'must be at least 1' }]

/** Facts for the codes that have some; typed, so that a new fact is missed by the compiler and not by this test. */
const FACTS: { readonly [C in ErrorCode as Record<never, never> extends ErrorFacts[C] ? never : C]: ErrorFacts[C] } = {
  authorization_pending: { intervalS: 5 },
  slow_down: { intervalS: 10 },
  insufficient_scope: { required: 'apps:read', surface: 'read' },
  rate_limited: { retryAfterMs: 1500 },
  method_not_allowed: { allow: ['GET', 'HEAD'] },
  role_required: { role: 'editor' },
  invalid_input: { issues: ISSUES },
  invalid_request: { description: 'client_id is required' },
  payload_too_large: { maxBytes: 1024 },
  file_too_large: { maxBytes: 10 },
  upload_quota_exceeded: { of: 'person', what: 'bytes', max: 10, retentionDays: 30 },
  unsupported_file_type: { extension: 'exe' },
  workflow_unusable: { message: 'a draft workflow cannot be run' },
  app_not_runnable: { issues: [{ node: 'n1', title: 'Shell', reason: 'unsupported', fix: 'remove it' }] },
  provider_not_initialize: { message: 'no model', hint: 'set MODEL_BASE_URL' },
  provider_quota_exceeded: { message: 'quota' },
  model_currently_not_support: { message: 'unknown model' },
  completion_request_error: { message: 'upstream said no' },
  invalid_param: { message: 'bad' },
  upstream_failed: { message: 'away', hint: 'look there' },
  rate_limit_error: { message: 'slow down', retryAfterMs: 200 },
  not_ready: { failed: ['database'] },
  dsl_invalid: { message: 'line 3: no such mode' },
}

const CODES = Object.keys(errorTable) as ErrorCode[] // the table's type has exactly these keys

function render(code: ErrorCode): RenderedError {
  const facts = code in FACTS ? FACTS[code as keyof typeof FACTS] : {}
  return renderError(code, facts as ErrorFacts[typeof code]) // paired by key above
}

const STATUS_NAMES: Record<number, string> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  409: 'conflict',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  422: 'unprocessable_entity',
  429: 'too_many_requests',
  431: 'request_header_fields_too_large',
  500: 'internal_server_error',
  502: 'bad_gateway',
  503: 'service_unavailable',
}

describe('the error table', () => {
  it('gives every refusal the four keys that all clients read', () => {
    for (const code of CODES) {
      const { status, body } = render(code)
      expect(body, code).to.include.all.keys('error', 'code', 'message', 'status')
      expect(body.status, code).to.equal(status)
      for (const text of [body.error, body.code, body.message]) expect(text, code).to.be.a('string').that.is.not.empty
    }
  })

  it('names the status in `code`, except where the run route has a code of its own', () => {
    const own = CODES.filter((code) => render(code).body.code !== STATUS_NAMES[render(code).status])
    expect(own).to.have.members([
      'conversation_completed',
      'app_unavailable',
      'app_not_runnable',
      'upstream_failed',
      'provider_not_initialize',
      'provider_quota_exceeded',
      'model_currently_not_support',
      'completion_request_error',
      'invalid_param',
      'rate_limit_error',
    ])
    for (const code of own) expect(render(code).body.code, code).to.equal(code)
  })

  it('says how long to wait on every 429 and 503, in whole seconds of at least one', () => {
    for (const code of CODES.filter((one) => [429, 503].includes(render(one).status))) {
      expect(render(code).headers['Retry-After'], code).to.match(/^[1-9]\d*$/)
    }
    expect(render('bearer_auth_disabled').headers['Retry-After']).to.equal('60')
    expect(render('service_unavailable').headers['Retry-After']).to.equal('5')
    expect(render('rate_limit_error').headers['Retry-After']).to.equal('1')
  })

  it('B10 keeps retry_after_ms a thousand times Retry-After', () => {
    const { headers, body } = render('rate_limited')
    expect(headers['Retry-After']).to.equal('2')
    expect(body.retry_after_ms).to.equal(2000)
  })

  it('E28b challenges nobody and never says 429 on the poll route', () => {
    for (const code of ['authorization_pending', 'slow_down', 'expired_token', 'access_denied'] as const) {
      const { status, headers, body } = render(code)
      expect(status, code).to.equal(400)
      expect(headers, code).to.not.have.property('WWW-Authenticate')
      expect(body.error, code).to.equal(code)
    }
  })

  it('challenges on bearer refusals only, with the codes of RFC 6750', () => {
    const challenged = Object.fromEntries(
      CODES.flatMap((code) => {
        const challenge = render(code).headers['WWW-Authenticate']
        return challenge === undefined ? [] : [[code, challenge]]
      }),
    )
    expect(challenged).to.deep.equal({
      bearer_required: 'Bearer realm="api"',
      invalid_bearer: 'Bearer realm="api", error="invalid_token"',
      insufficient_scope: 'Bearer realm="api", error="insufficient_scope", scope="apps:read"',
    })
  })

  it('B04 names the missing scope in the message of read routes only', () => {
    expect(render('insufficient_scope').body.message).to.equal('insufficient_scope: apps:read')
    const run = renderError('insufficient_scope', { required: 'apps:run', surface: 'run' })
    expect(run.body).to.deep.include({ error: 'insufficient_scope', message: 'insufficient_scope' })
  })

  it('tells input issues twice: as JSON in `message` and as a list', () => {
    const { body } = render('invalid_input')
    expect(JSON.parse(body.message)).to.deep.equal(ISSUES)
    expect(body.details).to.deep.equal(ISSUES)
    expect(body.error).to.equal('unprocessable_entity')
  })

  it('A13 says nothing about a fault of ours', () => {
    expect(render('internal_server_error').body).to.deep.equal({
      error: 'internal_server_error',
      code: 'internal_server_error',
      message: 'Internal Server Error',
      status: 500,
    })
  })
})
