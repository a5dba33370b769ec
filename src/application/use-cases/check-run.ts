import type { AppDefinition, JsonObject } from '#domain/app.ts'
import { appFileRule, checkAppFiles } from '#domain/app-files.ts'
import { type AppMode, familyOf, isGraphMode } from '#domain/app-mode.ts'
import { DomainError } from '#domain/errors.ts'
import { uploadIdsIn } from '#domain/given-file.ts'
import { checkInputs, formOf } from '#domain/input-form.ts'
import type { RunRequest } from '#domain/run.ts'
import type { UploadRules } from '#domain/uploaded-file.ts'
import type { Mounted } from '../auth/pipeline.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { AppRunner } from '../ports/app-runner.ts'
import type { Conversation, ConversationStore, Owner } from '../ports/conversation-store.ts'
import type { Live, LiveDefinition } from '../ports/live-definition.ts'
import type { FileScope, UploadedFiles } from '../ports/uploaded-files.ts'

export type CheckRunNeeds = {
  apps: AppCatalog
  runner: AppRunner
  liveDefinition: LiveDefinition
  uploadedFiles: UploadedFiles
  conversations: ConversationStore
  settings: { readonly uploads: UploadRules }
}

/** What the caller may say. There is no user in it: the bearer is the identity. */
export type RunInput = {
  readonly inputs: JsonObject
  readonly query: string | null
  readonly conversationId: string | null
  /** As they were sent: an address, or the id of an upload. */
  readonly files: readonly JsonObject[]
  readonly autoGenerateName: boolean
  readonly workflowId: string | null
}

/** What is to run, as it was found, and with what. */
export type CheckedRun = Live & {
  readonly request: RunRequest
  /** The one that goes on; null when none was named or the mode has none. */
  readonly conversation: Conversation | null
}

/** Writes nothing. */
export type CheckRun = (admitted: Pick<Mounted, 'app' | 'caller'>, input: RunInput) => Promise<CheckedRun>

/** Far more than any form takes; a request of ids alone must not become one giant query. */
const MAX_UPLOAD_IDS = 500

/**
 * Checks all that the caller asked for before anything of the run exists.
 * @throws DomainError the refusals of the run route for what was asked
 */
export function makeCheckRun(needs: CheckRunNeeds): CheckRun {
  const { apps, runner, conversations, settings } = needs

  return async ({ app, caller }, input) => {
    const { mode } = app
    const query = queryFor(mode, input.query)
    const stored = await requireDefinition(apps, app.id, mode, input.workflowId)
    const live = await needs.liveDefinition(app, stored)
    const given = await requireGiven(mode, live.definition, input, { appId: app.id, owner: caller.owner })
    await requireRunnable(runner, app, live.definition, live.bindings)
    const named = familyOf(mode) === 'chat' ? input.conversationId : null
    const conversation = named === null ? null : await requireConversation(named, app.id, caller.owner)
    return { ...live, request: { ...given, query }, conversation }
  }

  /** Inputs and files, with the uploads that both name: the caller's own, in one question. */
  async function requireGiven(mode: AppMode, definition: AppDefinition, { inputs, files }: RunInput, scope: FileScope) {
    const form = formOf(mode, definition)
    if (form === null) throw new DomainError('app_unavailable', {})
    const ids = uploadIdsIn([inputs, files])
    const found = ids.length === 0 ? [] : await needs.uploadedFiles.own(ids.slice(0, MAX_UPLOAD_IDS), scope)
    const own = new Map(found.map((file) => [file.id, file]))
    const checked = checkInputs(form, inputs, own)
    const given = checkAppFiles(appFileRule(mode, definition, settings.uploads.perRun), files, own)
    const issues = [...(checked.ok ? [] : checked.issues), ...given.issues]
    if (!checked.ok || issues.length > 0) throw new DomainError('invalid_input', { issues })
    return { inputs: checked.inputs, files: given.files }
  }

  async function requireConversation(id: string, appId: string, owner: Owner): Promise<Conversation> {
    const conversation = await conversations.find(id, appId, owner)
    if (conversation === null) throw new DomainError('conversation_not_found', {})
    if (conversation.status !== 'normal') throw new DomainError('conversation_completed', {})
    return conversation
  }
}

/** The per-mode rule of `query`. */
function queryFor(mode: AppMode, query: string | null): string {
  switch (familyOf(mode)) {
    case 'chat':
      if (query === null || query.trim() === '') throw new DomainError('query_required_for_chat', {})
      return query
    case 'workflow':
      if (query !== null) throw new DomainError('query_not_supported_for_workflow', {})
      return ''
    case 'completion':
      return query ?? ''
    case null:
      throw new DomainError('mode_not_runnable', {})
  }
}

async function requireDefinition(
  apps: AppCatalog,
  appId: string,
  mode: AppMode,
  workflowId: string | null,
): Promise<AppDefinition> {
  const pinned = isGraphMode(mode) ? workflowId : null
  const definition = pinned === null ? await apps.definition(appId) : await apps.definition(appId, pinned)
  if (definition === null) throw new DomainError(pinned === null ? 'app_unavailable' : 'workflow_not_found', {})
  if (definition.kind === 'draft') {
    throw new DomainError('workflow_unusable', { message: 'a draft workflow cannot be run' })
  }
  return definition
}

async function requireRunnable(runner: AppRunner, ...app: Parameters<AppRunner['preflight']>): Promise<void> {
  const preflight = await runner.preflight(...app)
  if (preflight.ok) return
  if (preflight.reason === 'nodes') throw new DomainError('app_not_runnable', { issues: preflight.issues })
  const { message, hint, issues } = preflight
  throw new DomainError('provider_not_initialize', { message, hint, issues })
}
