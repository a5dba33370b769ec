import * as v from 'valibot'
import { DomainError } from '#domain/errors.ts'
import { metaExamples } from '../examples/meta.ts'
import type { HttpContext } from '../http-context.ts'
import { type Route, route } from '../route.ts'
import { DEVICE_GRANT } from './device.ts'

const health = route({
  method: 'get',
  path: '/_health',
  summary: 'Whether the server answers',
  access: { kind: 'public' },
  cacheable: true,
  reply: v.object({ ok: v.literal(true) }),
  example: metaExamples.health,
  errors: [],
  handle: () => ({ ok: true as const }),
})

const version = route({
  method: 'get',
  path: '/_version',
  summary: 'Version and edition of this server',
  access: { kind: 'public' },
  cacheable: true,
  reply: v.object({ version: v.string(), edition: v.literal('SELF_HOSTED') }),
  example: metaExamples.version,
  errors: [],
  handle: (_input, _anyone, _cases, { http }) => ({ version: http.version, edition: 'SELF_HOSTED' as const }),
})

const names = v.array(v.string())

/** RFC 8414, at the path under the issuer and at the one that the RFC builds from it. */
export const metadata = route({
  method: 'get',
  path: '/.well-known/oauth-authorization-server',
  summary: 'Authorization server metadata (RFC 8414)',
  access: { kind: 'public' },
  cacheable: true,
  reply: v.object({
    issuer: v.string(),
    device_authorization_endpoint: v.string(),
    token_endpoint: v.string(),
    token_endpoint_auth_methods_supported: names,
    introspection_endpoint: v.string(),
    introspection_endpoint_auth_methods_supported: names,
    revocation_endpoint: v.string(),
    revocation_endpoint_auth_methods_supported: names,
    grant_types_supported: names,
    response_types_supported: names,
    scopes_supported: names,
    service_documentation: v.string(),
  }),
  example: metaExamples.metadata,
  errors: ['not_found'],
  handle: (_input, _anyone, _cases, { http }) => metadataOf(http),
})

/**
 * RFC 8414 §2, for clients that discover.
 * @throws DomainError `not_found` when the server does not know its public origin
 */
function metadataOf({ settings }: HttpContext) {
  const issuer = settings.issuer()
  if (issuer === null) throw new DomainError('not_found', {})
  return {
    issuer,
    device_authorization_endpoint: `${issuer}/oauth/device/code`,
    token_endpoint: `${issuer}/oauth/device/token`,
    token_endpoint_auth_methods_supported: ['none'],
    introspection_endpoint: `${issuer}/oauth/introspect`,
    // RFC 8414 §2 admits names of access token types here.
    introspection_endpoint_auth_methods_supported: ['Bearer'],
    revocation_endpoint: `${issuer}/oauth/revoke`,
    revocation_endpoint_auth_methods_supported: ['none'],
    grant_types_supported: [DEVICE_GRANT],
    response_types_supported: [],
    scopes_supported: ['full', 'apps:read', 'apps:run', 'apps:read:permitted'],
    service_documentation: `${issuer}/openapi.json`,
  }
}

/** Routes about the server itself. */
export function metaRoutes(document: () => unknown): readonly Route[] {
  const openapi = route({
    method: 'get',
    path: '/openapi.json',
    summary: 'This API as OpenAPI 3.1',
    access: { kind: 'public' },
    cacheable: true,
    reply: v.looseObject({ openapi: v.string() }),
    example: metaExamples.openapi,
    errors: [],
    handle: () => document() as { openapi: string }, // built by openapi.ts, which the document's own test validates
  })
  return [health, version, metadata, openapi]
}
