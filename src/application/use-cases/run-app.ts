import type { AppDefinition, JsonObject } from '#domain/app.ts'
import { appFileRule, checkAppFiles } from '#domain/app-files.ts'
import { type AppMode, familyOf, isGraphMode, onHangUp } from '#domain/app-mode.ts'
import { DomainError } from '#domain/errors.ts'
import { uploadIdsIn } from '#domain/given-file.ts'
import { checkInputs, formOf } from '#domain/input-form.ts'
import type { RunEvent, RunFailure, RunIds } from '#domain/run.ts'
import type { UploadRules } from '#domain/uploaded-file.ts'
import type { Mounted } from '../auth/pipeline.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { AppRunner } from '../ports/app-runner.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import { type Conversation, type ConversationStore, type Owner, REMEMBERED } from '../ports/conversation-store.ts'
import type { LiveDefinition } from '../ports/live-definition.ts'
import type { RunControl } from '../ports/run-control.ts'
import type { RunLog } from '../ports/run-log.ts'
import type { RunSlots, Slot } from '../ports/run-slots.ts'
import type { RunStore } from '../ports/run-store.ts'
import type { NewId } from '../ports/secrets.ts'
import type { FileScope } from '../ports/uploaded-files.ts'
import { type CarryRun, isUnderway } from './carry-run.ts'
import { makePausing, type PausingNeeds } from './pausing.ts'
import { type FileLinkSettings, makeRunFiles, type RunFilesNeeds } from './run-files.ts'

type Needs = PausingNeeds &
  RunFilesNeeds & {
    apps: AppCatalog
    runner: AppRunner
    liveDefinition: LiveDefinition
    runs: RunStore
    conversations: ConversationStore
    runLog: RunLog
    runControl: RunControl
    runSlots: RunSlots
    carryRun: CarryRun
    audit: AuditLog
    newId: NewId
    now: Clock
    settings: RunSettings & FileLinkSettings
  }

/** `runsPerWorkspace` may be under way at once; 0 is no limit. */
export type RunSettings = { readonly runsPerWorkspace: number; readonly uploads: UploadRules }

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

export type StartedRun = {
  readonly ids: RunIds
  readonly mode: AppMode
  readonly createdAtMs: number
  /** From the first event to the ending. */
  readonly events: AsyncIterable<RunEvent>
}

/** `gone` aborts when the caller goes away, also before the first event: that ends a chat and leaves a workflow running. */
export type RunApp = (admitted: Mounted, input: RunInput, gone: AbortSignal) => Promise<StartedRun>

const NAME_LENGTH = 60
/** Far more than any form takes; a request of ids alone must not become one giant query. */
const MAX_UPLOAD_IDS = 500
/** Runs take seconds rather than milliseconds. */
const SLOT_RETRY_MS = 5000

/**
 * Starts a run and waits until it is under way, so that everything which can be refused is refused by a status
 * and not inside a stream.
 * @throws DomainError the refusals of the run route
 */
export function makeRunApp(needs: Needs): RunApp {
  const { apps, runner, runs, conversations, runLog, runControl, carryRun, audit, newId, now, runSlots, settings } =
    needs
  return async ({ app, caller, context }, input, gone) => {
    const query = queryFor(app.mode, input.query)
    const stored = await requireDefinition(apps, app.id, app.mode, input.workflowId)
    const { definition, bindings } = await needs.liveDefinition(app, stored)
    const scope = { appId: app.id, owner: caller.owner }
    const { inputs, files } = await requireGiven(app.mode, definition, input, scope)
    await requireRunnable(runner, app, definition, bindings)

    const isChat = familyOf(app.mode) === 'chat'
    const known =
      isChat && input.conversationId !== null
        ? await requireConversation(input.conversationId, app.id, caller.owner)
        : null
    const fresh =
      isChat && known === null ? newConversation(app.id, caller.owner, inputs, query, input.autoGenerateName) : null
    const { turns, lastMessageId } =
      known === null ? { turns: [], lastMessageId: null } : await conversations.history(known.id, REMEMBERED)

    const conversation = known ?? fresh
    const ids: RunIds = {
      taskId: newId(),
      runId: newId(),
      workflowId: definition.id,
      messageId: newId(),
      conversationId: conversation?.id ?? null,
    }
    const createdAtMs = now()
    const slot = { workspaceId: app.workspaceId, runId: ids.runId }
    await requireSlot(slot)
    const recorded = runs.start({
      id: ids.runId,
      taskId: ids.taskId,
      workspaceId: app.workspaceId,
      appId: app.id,
      workflowId: definition.id,
      messageId: ids.messageId,
      conversationId: ids.conversationId,
      mode: app.mode,
      owner: caller.owner,
      createdFrom: 'openapi',
      status: 'running',
      inputs,
      createdAtMs,
    })
    await recorded.catch(async (error: unknown) => {
      await runSlots.free(slot)
      throw error
    })
    const request = { inputs, query, files }
    const job = {
      app,
      definition,
      bindings,
      ids,
      request,
      pausing: makePausing(needs, { ids, request }),
      invokeFrom: 'openapi' as const,
      callerId: caller.owner.id,
      files: makeRunFiles(needs, scope),
      history: turns,
      conversationVariables: conversation?.variables ?? {},
      dialogueCount: turns.length,
      saveVariables: async (variables: JsonObject) => {
        if (conversation !== null) await conversations.saveVariables(conversation.id, variables)
      },
    }
    const reader = new AbortController()
    const events = runLog.read(ids.runId, 1, reader.signal)
    void carryRun({ job, owner: caller.owner, newConversation: fresh, parentMessageId: lastMessageId })

    const hangUp = () => {
      if (onHangUp(app.mode) === 'stop') void runControl.stop(ids.taskId, 'hang_up')
      reader.abort()
    }
    gone.addEventListener('abort', hangUp, { once: true })
    if (gone.aborted) hangUp()
    try {
      const begun = await firstEvents(app.mode, events)
      const { tokenId } = context
      const facts = {
        appId: app.id,
        tenantId: app.workspaceId,
        callerKind: caller.kind,
        mode: app.mode,
        surface: 'apps' as const,
      }
      await audit
        .append({ event: 'app.run.openapi', facts: { ...facts, tokenId } }, now())
        .catch(async (error: unknown) => {
          // Nothing goes on that the audit log does not know of, not even a workflow, which needs no reader.
          await runControl.stop(ids.taskId, 'hang_up')
          throw error
        })
      return { ids, mode: app.mode, createdAtMs, events: begun }
    } catch (error) {
      // Nobody will read on: a paced run would wait for its reader for ever.
      hangUp()
      throw error
    }
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

  async function requireSlot(slot: Slot): Promise<void> {
    const { runsPerWorkspace: limit } = settings
    if (limit === 0 || (await runSlots.take(slot, limit))) return
    const message = `This workspace runs ${limit} apps already, which is all it may at once.`
    throw new DomainError('rate_limit_error', { message, retryAfterMs: SLOT_RETRY_MS })
  }

  async function requireConversation(id: string, appId: string, owner: Owner): Promise<Conversation> {
    const conversation = await conversations.find(id, appId, owner)
    if (conversation === null) throw new DomainError('conversation_not_found', {})
    if (conversation.status !== 'normal') throw new DomainError('conversation_completed', {})
    return conversation
  }

  function newConversation(
    appId: string,
    owner: Owner,
    inputs: JsonObject,
    query: string,
    named: boolean,
  ): Conversation {
    const name = named ? query.trim().slice(0, NAME_LENGTH) : 'New conversation'
    return { id: newId(), appId, owner, name, status: 'normal', inputs, variables: {}, createdAtMs: now() }
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

/** Waits for the event that settles the status; the returned stream starts at the first one. */
async function firstEvents(mode: AppMode, events: AsyncIterable<RunEvent>): Promise<AsyncIterable<RunEvent>> {
  const iterator = events[Symbol.asyncIterator]()
  const seen: RunEvent[] = []
  for (;;) {
    const { done, value } = await iterator.next()
    if (done === true) throw new DomainError('service_unavailable', {})
    seen.push(value)
    if (isUnderway(mode, value)) break
    if (value.kind === 'failed') throw asRefusal(value.failure)
  }
  return (async function* () {
    yield* seen
    yield* { [Symbol.asyncIterator]: () => iterator }
  })()
}

/** A failure before the first byte, as the refusal with the same code. */
export function asRefusal({ code, message, retryAfterMs, hint = '' }: RunFailure): DomainError {
  switch (code) {
    case 'rate_limit_error':
      return new DomainError(code, { message, retryAfterMs: retryAfterMs ?? 1000 })
    case 'upstream_failed':
      return new DomainError(code, { message, hint })
    case 'service_unavailable':
    case 'internal_server_error':
      return new DomainError(code, {})
    default:
      return new DomainError(code, { message })
  }
}
