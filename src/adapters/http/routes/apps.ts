import * as v from 'valibot'
import type { App } from '#domain/app.ts'
import { parametersOf } from '#domain/app-parameters.ts'
import { DomainError } from '#domain/errors.ts'
import { inputSchemaOf } from '#domain/input-schema.ts'
import type { Page } from '#domain/page.ts'
import { appExamples } from '../examples/apps.ts'
import { type Route, route } from '../route.ts'
import { envelope, iso, limitUpTo, mode, page, uuid } from '../schemas.ts'
import { bearerErrors } from './bearer-errors.ts'

const readErrors = [...bearerErrors, 'insufficient_scope', 'invalid_input', 'workspace_membership_revoked'] as const

const tags = v.array(v.object({ name: v.string() }))

const AppList = envelope(
  v.object({
    id: v.string(),
    name: v.string(),
    description: v.string(),
    mode: v.string(),
    tags,
    updated_at: v.string(),
    created_by_name: v.nullable(v.string()),
    workspace_id: v.string(),
    workspace_name: v.nullable(v.string()),
  }),
)

function rowOf(app: App) {
  return {
    id: app.id,
    name: app.name,
    description: app.description,
    mode: app.mode,
    tags: app.tags.map((name) => ({ name })),
    updated_at: iso(app.updatedAtMs),
    created_by_name: app.authorName,
    workspace_id: app.workspaceId,
    workspace_name: app.workspaceName,
  }
}

function listOf<Row>(found: Page<App>, toRow: (app: App) => Row) {
  const { page, limit, total, hasMore, data } = found
  return { page, limit, total, has_more: hasMore, data: data.map(toRow) }
}

const list = route({
  method: 'get',
  path: '/apps',
  summary: 'The runnable apps of a workspace',
  access: { kind: 'bearer', scope: 'apps:read' },
  query: v.object({
    workspace_id: uuid,
    page,
    limit: limitUpTo(20),
    mode: v.optional(mode),
    name: v.optional(v.pipe(v.string(), v.maxLength(200))),
    tag: v.optional(v.pipe(v.string(), v.maxLength(100))),
  }),
  reply: AppList,
  example: appExamples.apps,
  errors: readErrors,
  handle: async ({ query }, context, cases) => {
    const { workspace_id: workspaceId, ...filters } = query
    const found = await cases.listApps(context, { workspaceId, ...filters })
    return listOf(found, rowOf)
  },
})

const permitted = (path: '/apps/permitted' | '/permitted-external-apps') =>
  route({
    method: 'get',
    path,
    summary: 'The apps that the company permits its external people; a page may be shorter than its limit',
    access: { kind: 'bearer', scope: 'apps:read:permitted', accepts: 'external_sso', licensed: true },
    query: v.strictObject({
      page,
      limit: limitUpTo(20),
      mode: v.optional(mode),
      name: v.optional(v.pipe(v.string(), v.maxLength(200))),
    }),
    reply: AppList,
    example: appExamples.permittedApps,
    errors: ['permitted_apps_unavailable'],
    handle: async ({ query }, context, cases) => {
      const found = await cases.listPermittedApps(context, query)
      // Tags and authors are the workspace's own matter.
      return listOf(found, (app) => ({ ...rowOf(app), tags: [], created_by_name: null }))
    },
  })

const FIELDS = ['info', 'parameters', 'input_schema', 'preflight'] as const
type Field = (typeof FIELDS)[number]

const fields = v.optional(
  v.pipe(
    v.string(),
    v.transform((csv) =>
      csv
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    ),
    v.array(v.picklist(FIELDS)),
  ),
  '',
)

const describe = route({
  method: 'get',
  path: '/apps/:id/describe',
  summary: 'What an app is, and what it takes as JSON Schema',
  access: { kind: 'bearer', scope: 'apps:read' },
  missing: 'app_not_found',
  query: v.strictObject({ fields, workspace_id: v.optional(v.string()) }),
  reply: v.object({
    info: v.nullable(
      v.object({
        id: v.string(),
        name: v.string(),
        description: v.string(),
        mode: v.string(),
        author: v.string(),
        tags,
        updated_at: v.string(),
        service_api_enabled: v.boolean(),
        is_agent: v.boolean(),
      }),
    ),
    parameters: v.nullable(v.record(v.string(), v.unknown())),
    input_schema: v.nullable(v.record(v.string(), v.unknown())),
    preflight: v.optional(
      v.pipe(
        v.array(v.object({ node: v.string(), title: v.string(), reason: v.string(), fix: v.string() })),
        v.description('What must be bound or changed before a run. There when something must, or when asked for.'),
      ),
    ),
  }),
  example: appExamples.describeApp,
  errors: [...readErrors, 'app_not_found', 'workspace_unavailable', 'upstream_failed', 'rate_limit_error'],
  handle: async ({ query, params }, context, cases) => {
    const { app, definition } = await cases.describeApp(context, params.id ?? '')
    refuseOtherWorkspace(query.workspace_id, app.workspaceId)
    const preflight = wantsPreflight(query.fields) ? await cases.checkApp.report(app, definition) : []
    const wants = (field: Field) => query.fields.length === 0 || query.fields.includes(field)
    const info = {
      id: app.id,
      name: app.name,
      description: app.description,
      mode: app.mode,
      author: app.authorName ?? '',
      tags: app.tags.map((name) => ({ name })),
      updated_at: iso(app.updatedAtMs),
      service_api_enabled: app.apiEnabled,
      is_agent: app.mode === 'agent-chat',
    }
    return {
      info: wants('info') ? info : null,
      parameters: wants('parameters') ? { ...parametersOf(app.mode, definition, cases.uploadRules) } : null,
      input_schema: wants('input_schema') ? { ...inputSchemaOf(app.mode, definition) } : null,
      // Three keys always: older clients know no other, and an app that can run has nothing to say here.
      ...(preflight.length > 0 || query.fields.includes('preflight') ? { preflight: [...preflight] } : {}),
    }
  },
})

function wantsPreflight(fields: readonly Field[]): boolean {
  return fields.length === 0 || fields.includes('preflight')
}

function refuseOtherWorkspace(named: string | undefined, workspaceId: string): void {
  if (named === undefined || named === '' || named.toLowerCase() === workspaceId) return
  const msg = 'is not the workspace of this app'
  throw new DomainError('invalid_input', { issues: [{ type: 'value_error', loc: ['workspace_id'], msg }] })
}

/** The catalogue. */
export const appRoutes: readonly Route[] = [
  list,
  permitted('/apps/permitted'),
  permitted('/permitted-external-apps'),
  describe,
]
