import * as v from 'valibot'
import { limits } from '#domain/rate-limit.ts'
import { accountExamples } from '../examples/account.ts'
import { type Route, route } from '../route.ts'
import { envelope, iso, limitCapped, page, status } from '../schemas.ts'
import { bearerErrors } from './bearer-errors.ts'

const account = route({
  method: 'get',
  path: '/account',
  summary: 'Who this token stands for',
  access: { kind: 'bearer', scope: null, ownLimit: limits.account },
  reply: v.object({
    subject_type: v.picklist(['account', 'external_sso']),
    subject_email: v.string(),
    subject_issuer: v.nullable(v.string()),
    account: v.nullable(v.object({ id: v.string(), email: v.string(), name: v.string() })),
    workspaces: v.array(v.object({ id: v.string(), name: v.string(), role: v.string() })),
    default_workspace_id: v.nullable(v.string()),
  }),
  example: accountExamples.account,
  errors: bearerErrors,
  handle: (_input, context, cases) => {
    const { subject, account: person, memberships, defaultWorkspaceId } = cases.describeAccount(context)
    return {
      subject_type: subject.type,
      subject_email: subject.email,
      subject_issuer: subject.type === 'account' ? null : subject.issuer,
      account: person === null ? null : { id: person.id, email: person.email, name: person.name },
      workspaces: memberships.map(({ workspaceId, name, role }) => ({ id: workspaceId, name, role })),
      default_workspace_id: defaultWorkspaceId,
    }
  },
})

const sessions = route({
  method: 'get',
  path: '/account/sessions',
  summary: 'The terminals signed in as this subject, newest first',
  access: { kind: 'bearer', scope: null },
  query: v.object({ page, limit: limitCapped(100) }),
  reply: envelope(
    v.object({
      id: v.string(),
      prefix: v.string(),
      client_id: v.string(),
      device_label: v.string(),
      created_at: v.string(),
      last_used_at: v.nullable(v.string()),
      expires_at: v.string(),
      last_used_ip: v.nullable(v.string()),
      current: v.boolean(),
    }),
  ),
  example: accountExamples.sessions,
  errors: [...bearerErrors, 'invalid_input'],
  handle: async ({ query }, { subject, tokenId }, cases) => {
    const found = await cases.listSessions(subject, query)
    return {
      page: found.page,
      limit: found.limit,
      total: found.total,
      has_more: found.hasMore,
      data: found.data.map((token) => ({
        id: token.id,
        prefix: token.prefix,
        client_id: token.clientId,
        device_label: token.deviceLabel,
        created_at: iso(token.createdAtMs),
        last_used_at: token.lastUsedAtMs === null ? null : iso(token.lastUsedAtMs),
        expires_at: iso(token.expiresAtMs),
        last_used_ip: token.lastUsedIp,
        current: token.id === tokenId,
      })),
    }
  },
})

const revokeSelf = route({
  method: 'delete',
  path: '/account/sessions/self',
  summary: 'Revoke the token of this request',
  access: { kind: 'bearer', scope: null },
  reply: status('revoked'),
  example: accountExamples.revokeSelf,
  errors: bearerErrors,
  handle: async (_input, { subject, tokenId }, cases) => {
    await cases.revokeSession(subject, tokenId)
    return { status: 'revoked' as const }
  },
})

const revokeOne = route({
  method: 'delete',
  path: '/account/sessions/:id',
  summary: 'Revoke one of the subject’s own tokens',
  access: { kind: 'bearer', scope: null },
  missing: 'session_not_found',
  reply: status('revoked'),
  example: accountExamples.revokeOne,
  errors: [...bearerErrors, 'session_not_found'],
  handle: async ({ params }, { subject }, cases) => {
    await cases.revokeSession(subject, params.id ?? '')
    return { status: 'revoked' as const }
  },
})

/** The caller and their terminals. */
export const accountRoutes: readonly Route[] = [account, sessions, revokeSelf, revokeOne]
