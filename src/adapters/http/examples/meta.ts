import { ORIGIN } from './scene.ts'

const ISSUER = `${ORIGIN}/openapi/v1`

/** The server itself: how it is, and where what is. */
export const metaExamples = {
  health: { reply: { ok: true as const } },
  ready: { reply: { ready: true as const, degraded: [] } },
  version: { reply: { version: '1.0.0', edition: 'SELF_HOSTED' as const } },
  openapi: { reply: { openapi: '3.1.0', info: { title: 'Latchkey', version: '1.0.0' }, paths: {} } },
  metadata: {
    reply: {
      issuer: ISSUER,
      device_authorization_endpoint: `${ISSUER}/oauth/device/code`,
      token_endpoint: `${ISSUER}/oauth/device/token`,
      token_endpoint_auth_methods_supported: ['none'],
      introspection_endpoint: `${ISSUER}/oauth/introspect`,
      introspection_endpoint_auth_methods_supported: ['Bearer'],
      revocation_endpoint: `${ISSUER}/oauth/revoke`,
      revocation_endpoint_auth_methods_supported: ['none'],
      grant_types_supported: ['urn:ietf:params:oauth:grant-type:device_code'],
      response_types_supported: [],
      scopes_supported: ['full', 'apps:read', 'apps:run', 'apps:read:permitted'],
      service_documentation: `${ISSUER}/openapi.json`,
    },
  },
}
