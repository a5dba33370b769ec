import type { ErrorCode } from '#domain/errors.ts'
import { sampleError } from './error-samples.ts'
import { headersOf, type Json } from './openapi-schemas.ts'
import type { Route } from './route.ts'
import { bearerErrors } from './routes/bearer-errors.ts'

/** One body for every refusal; `status`, `error` and `code` are narrowed where it is used. */
export const errorSchema: Json = {
  type: 'object',
  required: ['error', 'code', 'message', 'status'],
  properties: {
    error: { type: 'string', description: 'What went wrong, for programs.' },
    code: { type: 'string', description: 'The status by name, or the failure of a run.' },
    message: { type: 'string' },
    status: { type: 'integer', description: 'The HTTP status.' },
    details: {
      type: 'array',
      description: 'What is wrong with the input, field by field; or which nodes keep the app from running.',
      items: {
        anyOf: [
          {
            type: 'object',
            required: ['type', 'loc', 'msg'],
            properties: {
              type: { type: 'string' },
              loc: { type: 'array', items: { type: ['string', 'integer'] } },
              msg: { type: 'string' },
            },
          },
          {
            type: 'object',
            required: ['node', 'title', 'reason', 'fix'],
            properties: {
              node: { type: 'string' },
              title: { type: 'string' },
              reason: { type: 'string' },
              fix: { type: 'string' },
            },
          },
        ],
      },
    },
    hint: { type: 'string' },
    error_description: { type: 'string', description: 'RFC 6749 §5.2.' },
    retry_after_ms: { type: 'integer', minimum: 1000 },
    interval: { type: 'integer', description: 'Seconds between polls from now on (RFC 8628 §3.5).' },
  },
}

/** All refusals of a route: its own, and those of what stands before its handler. */
export function errorsOf(one: Route): readonly ErrorCode[] {
  const faults: ErrorCode[] = one.cacheable
    ? ['internal_server_error']
    : ['internal_server_error', 'service_unavailable']
  return [...new Set([...one.errors, ...ofAccess(one), ...ofInput(one), ...faults])]
}

function ofAccess({ access }: Route): readonly ErrorCode[] {
  switch (access.kind) {
    case 'bearer':
      return [
        ...bearerErrors,
        ...(access.licensed === true ? (['not_found'] as const) : []),
        ...(access.accepts === undefined ? [] : (['wrong_subject_type'] as const)),
        ...(access.scope === null ? [] : (['insufficient_scope'] as const)),
      ]
    case 'app':
      return [...bearerErrors, 'insufficient_scope']
    case 'public':
      return access.limit === undefined ? [] : ['rate_limited']
    case 'console':
      return access.changes ? ['unauthorized', 'csrf_mismatch'] : ['unauthorized']
    case 'decide':
      return ['unauthorized', 'csrf_mismatch']
    case 'same-origin':
      return ['foreign_origin']
    case 'enterprise':
      return access.limit === undefined ? ['not_found'] : ['not_found', 'rate_limited']
    case 'approval-grant':
      return ['not_found', 'no_session', 'invalid_session']
  }
}

const REFUSED = { oauth: 'invalid_request', issues: 'invalid_input', 'user-code': 'user_code_mismatch' } as const

const OF_FILE = ['malformed_request', 'unsupported_media_type', 'payload_too_large', 'request_timeout'] as const

function ofInput({ body, query, invalid, filePart }: Route): readonly ErrorCode[] {
  const refused = REFUSED[invalid]
  const unread: ErrorCode = invalid === 'oauth' ? 'invalid_request' : 'invalid_json'
  return [
    ...(query === undefined ? [] : [refused]),
    ...(filePart === undefined ? [] : [...OF_FILE, 'no_file_uploaded' as const, 'too_many_files' as const]),
    ...(body === undefined
      ? []
      : ([refused, unread, 'unsupported_media_type', 'payload_too_large', 'request_timeout'] as const)),
  ]
}

/** Refusals with one status share one answer, which admits exactly their tokens and shows each. */
export function refusals(one: Route): Record<string, Json> {
  const byStatus = Map.groupBy(errorsOf(one), (code) => sampleError(code).status)
  return Object.fromEntries([...byStatus].map(([status, codes]) => [String(status), refusal(status, codes)]))
}

function refusal(status: number, codes: readonly ErrorCode[]): Json {
  const samples = codes.map(sampleError)
  const values = (key: 'error' | 'code') => [...new Set(samples.map(({ body }) => body[key]))]
  const sometimes = samples.flatMap(({ headers }) => Object.keys(headers))
  const always = sometimes.filter((name) => samples.every(({ headers }) => name in headers))
  return {
    description: codes.join(', '),
    headers: headersOf(always, sometimes),
    content: {
      'application/json': {
        schema: {
          $ref: '#/components/schemas/Error',
          properties: { status: { const: status }, error: { enum: values('error') }, code: { enum: values('code') } },
        },
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  }
}

/** `components.examples`: each refusal that any route gives. */
export function errorExamples(routes: readonly Route[]): Json {
  const codes = [...new Set(routes.flatMap(errorsOf))].toSorted()
  return Object.fromEntries(codes.map((code) => [code, { value: sampleError(code).body }]))
}
