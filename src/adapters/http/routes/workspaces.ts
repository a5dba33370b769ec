import * as v from 'valibot'
import { describeWorkspace } from '#application/use-cases/describe-workspace.ts'
import { MAX_PAGE_LIMIT, pageOf } from '#domain/page.ts'
import type { Membership } from '#domain/workspace.ts'
import { accountExamples } from '../examples/account.ts'
import { type Route, route } from '../route.ts'
import { count, iso } from '../schemas.ts'
import { accountOf, accountOnly } from './account-only.ts'
import { bearerErrors } from './bearer-errors.ts'

const row = { id: v.string(), name: v.string(), role: v.string(), status: v.string(), current: v.boolean() }

const list = route({
  method: 'get',
  path: '/workspaces',
  summary: 'The caller’s workspaces, oldest first',
  access: { kind: 'bearer', scope: null },
  reply: v.object({
    workspaces: v.array(v.object(row)),
    page: count,
    limit: count,
    total: count,
    has_more: v.boolean(),
    data: v.array(v.object(row)),
  }),
  example: accountExamples.workspaces,
  errors: bearerErrors,
  handle: (_input, { memberships }) => {
    const rows = memberships.slice(0, MAX_PAGE_LIMIT).map(toRow)
    const { page, limit, total, hasMore } = pageOf({ page: 1, limit: MAX_PAGE_LIMIT }, memberships.length, rows)
    return { workspaces: rows, page, limit, total, has_more: hasMore, data: rows }
  },
})

const detail = route({
  method: 'get',
  path: '/workspaces/:id',
  summary: 'One of the caller’s workspaces',
  access: { kind: 'bearer', scope: null },
  missing: 'workspace_not_found',
  reply: v.object({ ...row, created_at: v.string() }),
  example: accountExamples.workspace,
  errors: [...bearerErrors, 'workspace_not_found'],
  handle: ({ params }, context) => {
    const membership = describeWorkspace(context, params.id ?? '')
    return { ...toRow(membership), created_at: iso(membership.createdAtMs) }
  },
})

const switchTo = route({
  method: 'post',
  path: '/workspaces/:id/switch',
  summary: 'Work in another of one’s workspaces from now on; again is the same',
  access: accountOnly,
  missing: 'workspace_not_found',
  reply: v.object(row),
  example: accountExamples.switchWorkspace,
  errors: [...bearerErrors, 'workspace_not_found'],
  handle: async ({ params }, context, cases) =>
    toRow(await cases.switchWorkspace(accountOf(context), (params.id ?? '').toLowerCase())),
})

function toRow({ workspaceId, name, role, status, current }: Membership) {
  return { id: workspaceId, name, role, status, current }
}

/** Where the caller belongs. */
export const workspaceRoutes: readonly Route[] = [list, detail, switchTo]
