import * as v from 'valibot'
import type { ShownBinding } from '#application/use-cases/manage-bindings.ts'
import type { UseCases } from '#application/use-cases.ts'
import type { JsonObject } from '#domain/app.ts'
import type { BindingSubject, BindingTarget } from '#domain/binding.ts'
import { DomainError } from '#domain/errors.ts'
import { defaultWorkspaceId } from '#domain/workspace.ts'
import { type Route, route } from '../route.ts'
import { iso } from '../schemas.ts'

const KINDS = ['model', 'dataset', 'tool', 'app'] as const
const WAYS = ['endpoint', 'retriever', 'openapi', 'mcp', 'app', 'js', 'upstream'] as const
const USUAL_WAY = { model: 'endpoint', dataset: 'retriever', tool: null, app: 'upstream' } as const
const MAX_BODY_BYTES = 4 * 1024 * 1024

const Subject = {
  kind: v.picklist(KINDS),
  provider: v.optional(v.string(), ''),
  name: v.optional(v.string(), ''),
}

const Shown = v.object({
  kind: v.picklist(KINDS),
  provider: v.string(),
  name: v.string(),
  via: v.picklist(WAYS),
  url: v.nullable(v.string()),
  model: v.nullable(v.string()),
  knowledge_id: v.nullable(v.string()),
  operation_id: v.nullable(v.string()),
  header: v.nullable(v.string()),
  tool: v.nullable(v.string()),
  app_id: v.nullable(v.string()),
  key: v.pipe(v.picklist(['none', 'kept', 'lost']), v.description('Whether there is one; it is never shown.')),
  updated_at: v.string(),
})

const errors = ['unauthorized', 'workspace_not_found', 'role_required'] as const

const list = route({
  method: 'get',
  path: '/workspaces/current/bindings',
  summary: 'What the current workspace binds the models, datasets and tools of app files to',
  access: { kind: 'console', changes: false },
  reply: v.object({ data: v.array(Shown) }),
  errors,
  handle: async (_input, { account }, cases) => {
    const bindings = await cases.bindings.list(await current(account.id, cases))
    return { data: bindings.map(shown) }
  },
})

const put = route({
  method: 'put',
  path: '/workspaces/current/bindings',
  summary: 'Bind a model, dataset or tool; without a key, the one that is there stays as long as it goes to one place',
  access: { kind: 'console', changes: true },
  maxBytes: MAX_BODY_BYTES,
  body: v.object({
    ...Subject,
    via: v.optional(v.picklist(WAYS)),
    url: v.optional(v.string()),
    model: v.optional(v.nullable(v.string())),
    knowledge_id: v.optional(v.string()),
    document: v.optional(v.custom<JsonObject>(isJsonObject, 'must be an object')),
    operation_id: v.optional(v.nullable(v.string())),
    header: v.optional(v.nullable(v.string())),
    tool: v.optional(v.nullable(v.string())),
    app_id: v.optional(v.string()),
    code: v.optional(v.string()),
    key: v.optional(v.nullable(v.string())),
  }),
  reply: Shown,
  errors: [...errors, 'csrf_mismatch', 'invalid_input', 'payload_too_large'],
  handle: async ({ body }, { account }, cases) => {
    const { kind, provider, name, key } = body
    const binding = { subject: { kind, provider, name }, target: targetOf(body), key }
    return shown(await cases.bindings.set(await current(account.id, cases), binding))
  },
})

const remove = route({
  method: 'delete',
  path: '/workspaces/current/bindings',
  summary: 'Unbind a model, dataset or tool',
  access: { kind: 'console', changes: true },
  query: v.object(Subject),
  reply: v.object({ result: v.literal('success') }),
  errors: [...errors, 'csrf_mismatch', 'invalid_input', 'not_found'],
  handle: async ({ query }, { account }, cases) => {
    const subject: BindingSubject = { kind: query.kind, provider: query.provider, name: query.name }
    await cases.bindings.remove(await current(account.id, cases), subject)
    return { result: 'success' as const }
  },
})

/** A list is an object too, to most who ask. */
function isJsonObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function current(accountId: string, cases: UseCases): Promise<{ accountId: string; workspaceId: string }> {
  const workspaceId = defaultWorkspaceId(await cases.listWorkspaces(accountId))
  if (workspaceId === null) throw new DomainError('workspace_not_found', {})
  return { accountId, workspaceId }
}

type Body = {
  readonly kind: (typeof KINDS)[number]
  readonly name: string
  readonly via?: (typeof WAYS)[number] | undefined
  readonly url?: string | undefined
  readonly model?: string | null | undefined
  readonly knowledge_id?: string | undefined
  readonly document?: JsonObject | undefined
  readonly operation_id?: string | null | undefined
  readonly header?: string | null | undefined
  readonly tool?: string | null | undefined
  readonly app_id?: string | undefined
  readonly code?: string | undefined
}

/** What the fields of a body name together; whether it is any good, the use case says. */
function targetOf(body: Body): BindingTarget {
  const need = (field: 'url' | 'app_id' | 'code' | 'document' | 'via') => {
    throw new DomainError('invalid_input', {
      issues: [{ type: 'missing', loc: [field], msg: `${field} is required for this binding` }],
    })
  }
  const via = body.via ?? USUAL_WAY[body.kind] ?? need('via')
  switch (via) {
    case 'endpoint':
      return { via, url: body.url ?? need('url'), model: body.model ?? null }
    case 'retriever':
      return { via, url: body.url ?? need('url'), knowledgeId: body.knowledge_id ?? body.name }
    case 'mcp':
      return { via, url: body.url ?? need('url'), tool: body.tool ?? null }
    case 'app':
      return { via, appId: body.app_id ?? need('app_id') }
    case 'js':
      return { via, code: body.code ?? need('code') }
    case 'upstream':
      return { via, url: body.url ?? need('url') }
    case 'openapi': {
      const { operation_id: operationId = null, header = null } = body
      const document = body.document ?? need('document')
      return { via, url: body.url ?? need('url'), document, operationId, header }
    }
  }
}

/** Documents and code are left out for their length, keys for good. */
function shown({ subject, target, key, updatedAtMs }: ShownBinding): v.InferInput<typeof Shown> {
  const { kind, provider, name } = subject
  return {
    kind,
    provider,
    name,
    via: target.via,
    url: 'url' in target ? target.url : null,
    model: 'model' in target ? target.model : null,
    knowledge_id: 'knowledgeId' in target ? target.knowledgeId : null,
    operation_id: 'operationId' in target ? target.operationId : null,
    header: 'header' in target ? target.header : null,
    tool: 'tool' in target ? target.tool : null,
    app_id: 'appId' in target ? target.appId : null,
    key,
    updated_at: iso(updatedAtMs),
  }
}

/** What workspaces bind, with cookies; for owners and admins. */
export const bindingRoutes: readonly Route[] = [list, put, remove]
