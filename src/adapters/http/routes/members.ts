import * as v from 'valibot'
import type { Member } from '#application/ports/workspace-members.ts'
import { describeWorkspace } from '#application/use-cases/describe-workspace.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import { GIVEN_ROLES } from '#domain/member-rules.ts'
import { accountExamples } from '../examples/account.ts'
import { type Route, route } from '../route.ts'
import { envelope, limitCapped, page } from '../schemas.ts'
import { accountIdOf, accountOnly } from './account-only.ts'
import { bearerErrors } from './bearer-errors.ts'
import { Email } from './console.ts'

const Row = v.object({ id: v.string(), name: v.string(), email: v.string(), role: v.string(), status: v.string() })

const role = v.picklist(GIVEN_ROLES)
const changeErrors = [...bearerErrors, 'workspace_not_found', 'role_required'] as const

const list = route({
  method: 'get',
  path: '/workspaces/:id/members',
  summary: 'The people of one of the caller’s workspaces, by email',
  access: accountOnly,
  missing: 'workspace_not_found',
  query: v.object({ page, limit: limitCapped(100) }),
  reply: envelope(Row),
  example: accountExamples.members,
  errors: [...bearerErrors, 'workspace_not_found'],
  handle: async ({ params, query }, context, cases) => {
    const { workspaceId } = describeWorkspace(context, params.id ?? '')
    const { page, limit, total, hasMore, data } = await cases.members.list(workspaceId, query)
    return { page, limit, total, has_more: hasMore, data: data.map(toRow) }
  },
})

const add = route({
  method: 'post',
  path: '/workspaces/:id/members',
  summary: 'Take a person who has an account here into a workspace; for its owners and admins',
  access: accountOnly,
  status: 201,
  missing: 'workspace_not_found',
  body: v.object({ email: v.pipe(v.string(), v.maxLength(320), Email), role }),
  reply: Row,
  example: accountExamples.addMember,
  errors: [...changeErrors, 'account_not_found', 'already_member'],
  handle: async ({ params, body }, context, cases) =>
    toRow(await cases.members.add(where(context, params.id), body.email, body.role)),
})

const setRole = route({
  method: 'put',
  path: '/workspaces/:id/members/:mid/role',
  summary: 'Change what a member may do; only owners change owners, and one owner stays',
  access: accountOnly,
  missing: 'workspace_not_found',
  body: v.object({ role }),
  reply: Row,
  example: accountExamples.setRole,
  errors: [...changeErrors, 'member_not_found', 'last_owner'],
  handle: async ({ params, body }, context, cases) =>
    toRow(await cases.members.setRole(where(context, params.id), idOf(params.mid), body.role)),
})

const remove = route({
  method: 'delete',
  path: '/workspaces/:id/members/:mid',
  summary: 'Take a member out of a workspace, at once; one owner stays',
  access: accountOnly,
  missing: 'workspace_not_found',
  reply: v.object({ result: v.literal('success') }),
  example: accountExamples.removeMember,
  errors: [...changeErrors, 'member_not_found', 'last_owner'],
  handle: async ({ params }, context, cases) => {
    await cases.members.remove(where(context, params.id), idOf(params.mid))
    return { result: 'success' as const }
  },
})

function where(context: AuthContext, workspaceId: string | undefined) {
  return { actorId: accountIdOf(context), workspaceId: idOf(workspaceId) }
}

/** In the one spelling that ids are stored in. */
function idOf(param: string | undefined): string {
  return (param ?? '').toLowerCase()
}

function toRow({ accountId, name, email, role, status }: Member) {
  return { id: accountId, name, email, role, status }
}

/** Who belongs to a workspace. */
export const memberRoutes: readonly Route[] = [list, add, setRole, remove]
