import * as v from 'valibot'
import { DomainError } from '#domain/errors.ts'
import { limits } from '#domain/rate-limit.ts'
import { signInExamples } from '../examples/sign-in.ts'
import { type Route, route } from '../route.ts'
import { iso } from '../schemas.ts'

/** RFC 8628 §3.4 `grant_type`. */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u

const ClientId = v.pipe(v.string(), v.minLength(1), v.maxLength(64))

const startDeviceFlow = route({
  method: 'post',
  path: '/oauth/device/code',
  summary: 'Start a device authorization (RFC 8628 §3.1)',
  access: { kind: 'public', limit: limits.deviceCode },
  form: true,
  invalid: 'oauth',
  body: v.object({
    client_id: ClientId,
    device_label: v.optional(
      v.pipe(
        v.string(),
        v.maxLength(255),
        v.regex(PRINTABLE, 'must be printable'),
        v.check(notBlank, 'must not be blank'),
      ),
    ),
  }),
  reply: v.object({
    device_code: v.string(),
    user_code: v.string(),
    verification_uri: v.string(),
    verification_uri_complete: v.string(),
    expires_in: v.pipe(v.number(), v.description('Seconds.')),
    interval: v.pipe(v.number(), v.description('Seconds between polls.')),
  }),
  example: signInExamples.startDeviceFlow,
  errors: ['unsupported_client', 'invalid_request', 'rate_limited', 'user_code_exhausted', 'unsupported_media_type'],
  handle: async ({ body }, _anyone, cases, { ip, userAgent, isForm, http }) => {
    if (body.device_label === undefined && !isForm) {
      throw new DomainError('invalid_request', { description: 'device_label is required' })
    }
    const started = await cases.startDeviceFlow({
      clientId: body.client_id,
      deviceLabel: body.device_label ?? null,
      origin: { ip, userAgent },
    })
    const uri = `${http.settings.webOrigin()}/device`
    return {
      device_code: started.deviceCode,
      user_code: started.userCode,
      verification_uri: uri,
      verification_uri_complete: `${uri}?user_code=${encodeURIComponent(started.userCode)}`,
      expires_in: started.expiresInS,
      interval: started.intervalS,
    }
  },
})

function notBlank(text: string): boolean {
  return text.trim() !== ''
}

const WorkspaceOfToken = v.object({ id: v.string(), name: v.string(), role: v.string() })

const pollToken = route({
  method: 'post',
  path: '/oauth/device/token',
  summary: 'Trade an approved device code for a bearer token (RFC 8628 §3.4)',
  access: { kind: 'public' },
  // RFC 6749 §5.1, for caches older than Cache-Control.
  headers: { Pragma: 'no-cache' },
  form: true,
  invalid: 'oauth',
  body: v.object({
    grant_type: v.optional(v.string()),
    device_code: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
    client_id: ClientId,
  }),
  reply: v.object({
    token: v.string(),
    access_token: v.string(),
    token_type: v.literal('Bearer'),
    expires_in: v.pipe(v.number(), v.description('Seconds.')),
    scope: v.string(),
    expires_at: v.string(),
    subject_type: v.picklist(['account', 'external_sso']),
    account: v.nullable(v.object({ id: v.string(), email: v.string(), name: v.string() })),
    workspaces: v.array(WorkspaceOfToken),
    default_workspace_id: v.nullable(v.string()),
    token_id: v.string(),
    subject_email: v.optional(v.string()),
    subject_issuer: v.optional(v.string()),
  }),
  example: signInExamples.pollToken,
  errors: [
    'authorization_pending',
    'slow_down',
    'access_denied',
    'expired_token',
    'invalid_request',
    'unsupported_grant_type',
    'unsupported_media_type',
  ],
  handle: async ({ body }, _anyone, cases, { ip }) => {
    if (body.grant_type !== undefined && body.grant_type !== DEVICE_GRANT) {
      throw new DomainError('unsupported_grant_type', {})
    }
    const picked = await cases.pollToken({ deviceCode: body.device_code, clientId: body.client_id, ip })
    const { subject, account } = picked
    const external =
      subject.type === 'external_sso' ? { subject_email: subject.email, subject_issuer: subject.issuer } : {}
    return {
      token: picked.token,
      access_token: picked.token,
      token_type: 'Bearer' as const,
      expires_in: picked.expiresInS,
      scope: picked.scopes.join(' '),
      expires_at: iso(picked.expiresAtMs),
      subject_type: subject.type,
      account: account === null ? null : { id: account.id, email: account.email, name: account.name },
      workspaces: picked.memberships.map(({ workspaceId, name, role }) => ({ id: workspaceId, name, role })),
      default_workspace_id: picked.defaultWorkspaceId,
      token_id: picked.tokenId,
      ...external,
    }
  },
})

/** RFC 8628: what the device itself calls, for either branch. */
export const deviceRoutes: readonly Route[] = [startDeviceFlow, pollToken]
