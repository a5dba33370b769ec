import * as v from 'valibot'
import type { Subject } from '#domain/subject.ts'
import { signInExamples } from '../examples/sign-in.ts'
import { type Route, route } from '../route.ts'
import { bearerErrors } from './bearer-errors.ts'

/** There is one type of token, so the hint of RFC 7009 §2.1 and RFC 7662 §2.1 says nothing new; any value goes. */
const TokenBody = v.object({
  token: v.pipe(v.string(), v.minLength(1), v.maxLength(4096)),
  token_type_hint: v.optional(v.string()),
})

const introspect = route({
  method: 'post',
  path: '/oauth/introspect',
  summary: 'What a token of the caller’s own is good for (RFC 7662)',
  access: { kind: 'bearer', scope: null },
  form: true,
  invalid: 'oauth',
  body: TokenBody,
  reply: v.object({
    active: v.boolean(),
    scope: v.optional(v.string()),
    client_id: v.optional(v.string()),
    username: v.optional(v.string()),
    token_type: v.optional(v.literal('Bearer')),
    exp: v.optional(v.pipe(v.number(), v.description('Epoch seconds.'))),
    iat: v.optional(v.pipe(v.number(), v.description('Epoch seconds.'))),
    sub: v.optional(v.string()),
  }),
  example: signInExamples.introspect,
  errors: [...bearerErrors, 'invalid_request', 'unsupported_media_type'],
  handle: async ({ body }, { subject }, cases) => {
    const found = await cases.introspectToken(subject, body.token)
    if (found === null) return { active: false }
    const { token, scopes } = found
    return {
      active: true,
      scope: scopes.join(' '),
      client_id: token.clientId,
      username: token.subject.email,
      token_type: 'Bearer' as const,
      exp: Math.floor(token.expiresAtMs / 1000),
      iat: Math.floor(token.createdAtMs / 1000),
      sub: subOf(token.subject),
    }
  },
})

/** An email is unique with its issuer only. */
function subOf(subject: Subject): string {
  return subject.type === 'account' ? subject.accountId : `${subject.issuer}|${subject.email}`
}

const revoke = route({
  method: 'post',
  path: '/oauth/revoke',
  summary: 'End a token; holding it is proof enough (RFC 7009)',
  access: { kind: 'public' },
  form: true,
  invalid: 'oauth',
  body: TokenBody,
  reply: v.object({}),
  example: signInExamples.revoke,
  errors: ['invalid_request', 'unsupported_media_type'],
  handle: async ({ body }, _anyone, cases) => {
    await cases.revokeToken(body.token)
    return {}
  },
})

/** What other OAuth parties ask about tokens. */
export const oauthRoutes: readonly Route[] = [introspect, revoke]
