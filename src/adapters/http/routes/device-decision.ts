import * as v from 'valibot'
import { limits } from '#domain/rate-limit.ts'
import { signInExamples } from '../examples/sign-in.ts'
import { type Route, route } from '../route.ts'
import { iso, status } from '../schemas.ts'

const lookUp = route({
  method: 'get',
  path: '/oauth/device/lookup',
  summary: 'Whether a user code can be decided',
  access: { kind: 'public', limit: limits.lookup, tells: 'console' },
  invalid: 'oauth',
  query: v.object({ user_code: v.pipe(v.string(), v.minLength(1), v.maxLength(32)) }),
  reply: v.object({
    valid: v.boolean(),
    expires_in_remaining: v.number(),
    client_id: v.nullable(v.string()),
    device_label: v.optional(v.string()),
    created_ip: v.optional(v.string()),
    user_agent: v.optional(v.nullable(v.string())),
    created_at: v.optional(v.string()),
  }),
  example: signInExamples.lookUp,
  errors: ['invalid_request', 'rate_limited'],
  handle: async ({ query }, _anyone, cases, { claims }) => {
    const found = await cases.lookUpUserCode(query.user_code)
    if (found.kind === 'unknown') return { valid: false, expires_in_remaining: 0, client_id: null }
    if (found.kind === 'decided') return { valid: false, expires_in_remaining: 0, client_id: found.clientId }
    const { flow, remainingS } = found
    const plain = { valid: true, expires_in_remaining: remainingS, client_id: flow.clientId }
    // What the consent page compares is for a signed-in person, not for whoever guesses codes.
    if ((await cases.consoleGuards.whoIs(claims)) === null) return plain
    return {
      ...plain,
      device_label: flow.deviceLabel,
      created_ip: flow.origin.ip,
      user_agent: flow.origin.userAgent,
      created_at: iso(flow.createdAtMs),
    }
  },
})

const UserCodeBody = v.object({ user_code: v.pipe(v.string(), v.minLength(1), v.maxLength(32)) })
const decideErrors = [
  'not_setup',
  'unauthorized',
  'csrf_mismatch',
  'account_not_initialized',
  'bearer_auth_disabled',
  'rate_limited',
  'invalid_request',
  'expired_or_unknown',
  'already_resolved',
  'approve_in_progress',
] as const

const approve = route({
  method: 'post',
  path: '/oauth/device/approve',
  summary: 'Let the device in, by its user code',
  access: { kind: 'decide' },
  invalid: 'oauth',
  body: UserCodeBody,
  reply: status('approved'),
  example: signInExamples.approve,
  errors: [...decideErrors, 'state_lost'],
  handle: async ({ body }, { account }, cases, { ip }) => {
    await cases.approveDevice({ account, userCode: body.user_code, ip })
    return { status: 'approved' as const }
  },
})

const deny = route({
  method: 'post',
  path: '/oauth/device/deny',
  summary: 'Turn the device away, by its user code',
  access: { kind: 'decide' },
  invalid: 'oauth',
  body: UserCodeBody,
  reply: status('denied'),
  example: signInExamples.deny,
  errors: decideErrors,
  handle: async ({ body }, { account }, cases, { ip }) => {
    await cases.denyDevice({ accountId: account.id, userCode: body.user_code, ip })
    return { status: 'denied' as const }
  },
})

/** RFC 8628 §3.3: what the browser of a person with an account calls. */
export const deviceDecisionRoutes: readonly Route[] = [lookUp, approve, deny]
