import * as v from 'valibot'
import type { Tag } from '#application/ports/tag-store.ts'
import type { UseCases } from '#application/use-cases.ts'
import type { App } from '#domain/app.ts'
import { DomainError } from '#domain/errors.ts'
import { defaultWorkspaceId, type Membership } from '#domain/workspace.ts'
import { type Route, route } from '../route.ts'
import { envelope, iso, limitUpTo, page, uuid } from '../schemas.ts'

const Done = v.object({ result: v.literal('success') })
const console = { kind: 'console', changes: false } as const
const change = { kind: 'console', changes: true } as const
const MAX_TAGS = 100

const Workspace = v.object({
  id: v.string(),
  name: v.string(),
  role: v.string(),
  status: v.string(),
  current: v.boolean(),
  created_at: v.string(),
})

const workspaces = route({
  method: 'get',
  path: '/workspaces',
  summary: 'The workspaces of the signed-in person, oldest first',
  access: console,
  reply: v.object({ workspaces: v.array(Workspace) }),
  errors: ['unauthorized'],
  handle: async (_input, { account }, cases) => ({
    workspaces: (await cases.listWorkspaces(account.id)).map(workspaceRow),
  }),
})

const switchTo = route({
  method: 'post',
  path: '/workspaces/switch',
  summary: 'Work in another workspace from now on',
  access: change,
  body: v.object({ tenant_id: uuid }),
  reply: v.object({ result: v.literal('success'), new_tenant: Workspace }),
  errors: ['unauthorized', 'csrf_mismatch', 'invalid_input', 'workspace_not_found'],
  handle: async ({ body }, { account }, cases) => {
    const membership = await cases.switchWorkspace(account, body.tenant_id)
    return { result: 'success' as const, new_tenant: workspaceRow(membership) }
  },
})

const AppRow = v.object({
  id: v.string(),
  name: v.string(),
  description: v.string(),
  mode: v.string(),
  enable_api: v.boolean(),
  access_mode: v.nullable(v.string()),
  tags: v.array(v.object({ name: v.string() })),
  updated_at: v.string(),
})

const apps = route({
  method: 'get',
  path: '/apps',
  summary: 'The apps of the current workspace, those with their API off included',
  access: console,
  query: v.object({ name: v.optional(v.pipe(v.string(), v.maxLength(200))), page, limit: limitUpTo(20) }),
  reply: envelope(AppRow),
  errors: ['unauthorized', 'invalid_input', 'workspace_not_found'],
  handle: async ({ query }, { account }, cases) => {
    const found = await cases.manageApps.list(await current(account.id, cases), query)
    const { page, limit, total, hasMore, data } = found
    return { page, limit, total, has_more: hasMore, data: data.map(appRow) }
  },
})

const ofApp = ['app_not_found', 'workspace_unavailable', 'role_required'] as const

const apiEnable = route({
  method: 'post',
  path: '/apps/:id/api-enable',
  summary: 'Let callers of an app in, or shut them out; for editors',
  access: change,
  missing: 'app_not_found',
  body: v.object({ enable_api: v.boolean() }),
  reply: AppRow,
  errors: ['unauthorized', 'csrf_mismatch', 'invalid_input', ...ofApp],
  handle: async ({ params, body }, { account }, cases) =>
    appRow(await cases.manageApps.setApi(account.id, idOf(params.id), body.enable_api)),
})

const publish = route({
  method: 'post',
  path: '/apps/:id/workflows/publish',
  summary: 'Put the latest draft of an app in force; one that is published already stays as it is',
  access: change,
  missing: 'app_not_found',
  reply: v.object({ result: v.literal('success'), created_at: v.pipe(v.number(), v.integer()) }),
  errors: ['unauthorized', 'csrf_mismatch', 'app_unavailable', ...ofApp],
  handle: async ({ params }, { account }, cases) => {
    const publishedAtMs = await cases.manageApps.publish(account.id, idOf(params.id))
    return { result: 'success' as const, created_at: Math.floor(publishedAtMs / 1000) }
  },
})

const TagRow = v.object({
  id: v.string(),
  name: v.string(),
  type: v.literal('app'),
  binding_count: v.pipe(v.number(), v.integer()),
})
const type = v.optional(v.literal('app'), 'app')

const tags = route({
  method: 'get',
  path: '/tags',
  summary: 'The tags of the current workspace',
  access: console,
  query: v.object({ type, keyword: v.optional(v.pipe(v.string(), v.maxLength(100))) }),
  reply: v.array(TagRow),
  errors: ['unauthorized', 'invalid_input', 'workspace_not_found'],
  handle: async ({ query }, { account }, cases) => {
    const found = await cases.tags.list(await current(account.id, cases), query.keyword)
    return found.map(tagRow)
  },
})

const addTag = route({
  method: 'post',
  path: '/tags',
  summary: 'A tag of that name in the current workspace, which may be there already; for editors',
  access: change,
  body: v.object({ name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(50)), type }),
  reply: TagRow,
  errors: ['unauthorized', 'csrf_mismatch', 'invalid_input', 'workspace_not_found', 'role_required'],
  handle: async ({ body }, { account }, cases) => {
    const who = { accountId: account.id, workspaceId: await current(account.id, cases) }
    return tagRow(await cases.tags.create(who, body.name))
  },
})

const bindTags = route({
  method: 'post',
  path: '/tag-bindings',
  summary: 'Give an app tags of its workspace, all or none; for editors',
  access: change,
  body: v.object({
    tag_ids: v.pipe(v.array(uuid), v.minLength(1), v.maxLength(MAX_TAGS)),
    target_id: uuid,
    type,
  }),
  reply: Done,
  errors: ['unauthorized', 'csrf_mismatch', 'invalid_input', 'not_found', ...ofApp],
  handle: async ({ body }, { account }, cases) => {
    await cases.tags.bind(account.id, body.target_id, body.tag_ids)
    return { result: 'success' as const }
  },
})

async function current(accountId: string, cases: UseCases): Promise<string> {
  const workspaceId = defaultWorkspaceId(await cases.listWorkspaces(accountId))
  if (workspaceId === null) throw new DomainError('workspace_not_found', {})
  return workspaceId
}

function idOf(param: string | undefined): string {
  return (param ?? '').toLowerCase()
}

function workspaceRow({ workspaceId, name, role, status, current, createdAtMs }: Membership) {
  return { id: workspaceId, name, role, status, current, created_at: iso(createdAtMs) }
}

function appRow(app: App) {
  return {
    id: app.id,
    name: app.name,
    description: app.description,
    mode: app.mode,
    enable_api: app.apiEnabled,
    access_mode: app.accessMode,
    tags: app.tags.map((name) => ({ name })),
    updated_at: iso(app.updatedAtMs),
  }
}

function tagRow({ id, name, bindings }: Tag) {
  return { id, name, type: 'app' as const, binding_count: bindings }
}

/** What a provisioning script does with workspaces, apps and tags, with cookies. */
export const consoleAppRoutes: readonly Route[] = [
  workspaces,
  switchTo,
  apps,
  apiEnable,
  publish,
  tags,
  addTag,
  bindTags,
]
