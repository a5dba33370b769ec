import * as v from 'valibot'
import { signInExamples } from '../examples/sign-in.ts'
import { type Route, route } from '../route.ts'
import { iso, status } from '../schemas.ts'

const approvalContext = route({
  method: 'get',
  path: '/oauth/device/approval-context',
  summary: 'Who has signed in, and for which code',
  access: { kind: 'approval-grant', changes: false },
  reply: v.object({
    subject_email: v.string(),
    subject_issuer: v.string(),
    user_code: v.string(),
    csrf_token: v.string(),
    expires_at: v.string(),
    client_id: v.optional(v.string()),
    device_label: v.optional(v.string()),
    created_ip: v.optional(v.string()),
    created_country: v.optional(v.nullable(v.pipe(v.string(), v.description('ISO 3166-1; null when unknown.')))),
    user_agent: v.optional(v.nullable(v.string())),
    created_at: v.optional(v.string()),
  }),
  example: signInExamples.approvalContext,
  errors: ['not_found', 'no_session', 'invalid_session'],
  handle: async (_input, grant, cases, { http }) => {
    const found = await cases.lookUpUserCode(grant.userCode)
    const known = {
      subject_email: grant.email,
      subject_issuer: grant.issuer,
      user_code: grant.userCode,
      csrf_token: grant.csrfToken,
      expires_at: iso(grant.expiresAtMs),
    }
    if (found.kind !== 'pending') return known
    // What the consent page compares, as a look-up tells it to people with an account (RFC 8628 §5.4).
    const { clientId, deviceLabel, origin, createdAtMs } = found.flow
    return {
      ...known,
      client_id: clientId,
      device_label: deviceLabel,
      created_ip: origin.ip,
      created_country: http.countryOf?.(origin.ip) ?? null,
      user_agent: origin.userAgent,
      created_at: iso(createdAtMs),
    }
  },
})

const approveExternal = route({
  method: 'post',
  path: '/oauth/device/approve-external',
  summary: 'Let the device in, as the person who has signed in',
  access: { kind: 'approval-grant', changes: true },
  body: v.object({ user_code: v.optional(v.unknown()) }),
  invalid: 'user-code',
  reply: status('approved'),
  example: signInExamples.approveExternal,
  errors: [
    'not_found',
    'no_session',
    'invalid_session',
    'bearer_auth_disabled',
    'rate_limited',
    'grant_csrf_mismatch',
    'user_code_mismatch',
    'expired_or_unknown',
    'user_code_not_pending',
    'email_belongs_to_dify_account',
    'session_already_consumed',
    'state_lost',
  ],
  handle: async ({ body }, grant, cases, { ip, deviceCookies }) => {
    const userCode = typeof body.user_code === 'string' ? body.user_code : null
    await cases.approveExternal({ grant, userCode, ip })
    deviceCookies.clearGrant()
    return { status: 'approved' as const }
  },
})

/** What people known only to their company's identity provider decide by, once they have signed in there. */
export const approvalGrantRoutes: readonly Route[] = [approvalContext, approveExternal]
