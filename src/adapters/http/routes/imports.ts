import * as v from 'valibot'
import type { UseCases } from '#application/use-cases.ts'
import { DomainError } from '#domain/errors.ts'
import { defaultWorkspaceId } from '#domain/workspace.ts'
import { appExamples } from '../examples/apps.ts'
import { type Route, route } from '../route.ts'
import { uuid } from '../schemas.ts'
import { accountIdOf, accountOnly } from './account-only.ts'
import { bearerErrors } from './bearer-errors.ts'
import { also, Completed, replyOf } from './import-reply.ts'

const MAX_IMPORT_BYTES = 10 * 1024 * 1024
/** JSON escapes can nearly double a file of the full size. */
const MAX_BODY_BYTES = 2 * MAX_IMPORT_BYTES

const word = v.nullish(v.pipe(v.string(), v.maxLength(255)))

const body = {
  mode: v.picklist(['yaml-content', 'yaml-url']),
  yaml_content: v.pipe(v.nullish(v.pipe(v.string(), v.minLength(1))), v.description('With mode yaml-content.')),
  yaml_url: v.pipe(
    v.nullish(v.pipe(v.string(), v.minLength(1), v.maxLength(2048))),
    v.description('With mode yaml-url: where the server fetches the file.'),
  ),
  name: v.nullish(v.pipe(v.string(), v.minLength(1), v.maxLength(255))),
  description: v.nullish(v.pipe(v.string(), v.maxLength(4000))),
  icon_type: word,
  icon: word,
  icon_background: word,
  app_id: v.pipe(
    v.nullish(uuid),
    v.description('The app of this workspace, of the same mode, that the file replaces.'),
  ),
}
const ImportBody = v.object(body)

type Given = v.InferOutput<typeof ImportBody>

/** Carries a body out; which of its fields it needs depends on its mode. */
async function begin(cases: UseCases, who: { accountId: string; workspaceId: string }, given: Given) {
  const { icon_type, icon, icon_background } = withoutNull(given)
  const hasIcon = icon_type !== undefined || icon !== undefined || icon_background !== undefined
  const outcome = await cases.imports.begin(who, sourceOf(given), {
    name: given.name ?? undefined,
    description: given.description ?? undefined,
    appId: given.app_id ?? undefined,
    icon: hasIcon ? { icon_type, icon, icon_background } : undefined,
  })
  return replyOf(outcome)
}

function withoutNull({ icon_type, icon, icon_background }: Given) {
  return { icon_type: icon_type ?? undefined, icon: icon ?? undefined, icon_background: icon_background ?? undefined }
}

function sourceOf({ mode, yaml_content: source, yaml_url: url }: Given): { source: string } | { url: string } {
  if (mode === 'yaml-url') return { url: url ?? missing('yaml_url') }
  const content = source ?? missing('yaml_content')
  if (Buffer.byteLength(content) > MAX_IMPORT_BYTES) {
    throw new DomainError('payload_too_large', { maxBytes: MAX_IMPORT_BYTES })
  }
  return { source: content }
}

function missing(field: string): never {
  const issue = { type: 'missing', loc: [field], msg: 'is required in this mode' }
  throw new DomainError('invalid_input', { issues: [issue] })
}

const errors = ['workspace_not_found', 'role_required', 'app_not_found'] as const

const importApp = route({
  method: 'post',
  path: '/workspaces/:id/apps/imports',
  summary: 'Import an app file, API on and published, as a new app or the next version of one',
  access: accountOnly,
  maxBytes: MAX_BODY_BYTES,
  missing: 'workspace_not_found',
  body: ImportBody,
  reply: Completed,
  also,
  example: appExamples.importApp,
  errors: [...bearerErrors, ...errors],
  handle: ({ params, body }, context, cases) =>
    begin(cases, { accountId: accountIdOf(context), workspaceId: (params.id ?? '').toLowerCase() }, body),
})

const confirmImport = route({
  method: 'post',
  path: '/workspaces/:id/apps/imports/:iid/confirm',
  summary: 'Finish one’s own import of a file of a newer format, once',
  access: accountOnly,
  missing: 'import_not_found',
  reply: Completed,
  also,
  example: appExamples.confirmImport,
  errors: [...bearerErrors, ...errors, 'import_not_found'],
  handle: async ({ params }, context, cases) => {
    const who = { accountId: accountIdOf(context), workspaceId: (params.id ?? '').toLowerCase() }
    return replyOf(await cases.imports.confirm(who, params.iid ?? ''))
  },
})

const consoleErrors = ['unauthorized', 'csrf_mismatch', ...errors] as const

const consoleImport = route({
  method: 'post',
  path: '/apps/imports',
  summary: 'Import an app file into the current workspace',
  access: { kind: 'console', changes: true },
  maxBytes: MAX_BODY_BYTES,
  body: v.object({ ...body, workspace_id: v.nullish(uuid) }),
  reply: Completed,
  also,
  errors: [...consoleErrors, 'invalid_input', 'payload_too_large'],
  handle: async ({ body }, { account }, cases) => {
    const workspaceId = body.workspace_id ?? defaultWorkspaceId(await cases.listWorkspaces(account.id))
    if (workspaceId === null) throw new DomainError('workspace_not_found', {})
    return begin(cases, { accountId: account.id, workspaceId }, body)
  },
})

const consoleConfirm = route({
  method: 'post',
  path: '/apps/imports/:iid/confirm',
  summary: 'Finish one’s own import into the current workspace, once',
  access: { kind: 'console', changes: true },
  missing: 'import_not_found',
  reply: Completed,
  also,
  errors: [...consoleErrors, 'import_not_found'],
  handle: async ({ params }, { account }, cases) => {
    const workspaceId = defaultWorkspaceId(await cases.listWorkspaces(account.id))
    if (workspaceId === null) throw new DomainError('workspace_not_found', {})
    return replyOf(await cases.imports.confirm({ accountId: account.id, workspaceId }, params.iid ?? ''))
  },
})

/** Apps out of files, with a bearer. */
export const importRoutes: readonly Route[] = [importApp, confirmImport]

/** The same with cookies. */
export const consoleImportRoutes: readonly Route[] = [consoleImport, consoleConfirm]
