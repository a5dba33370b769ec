import type { AppDefinition, JsonObject } from '#domain/app.ts'
import { type AppMode, onHangUp } from '#domain/app-mode.ts'
import { DomainError } from '#domain/errors.ts'
import type { RunEvent, RunIds } from '#domain/run.ts'
import type { UploadRules } from '#domain/uploaded-file.ts'
import type { Mounted } from '../auth/pipeline.ts'
import type { RunJob } from '../ports/app-runner.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { RunControl } from '../ports/run-control.ts'
import type { RunLog } from '../ports/run-log.ts'
import type { RunSlots, Slot } from '../ports/run-slots.ts'
import type { RunRecord, RunStore } from '../ports/run-store.ts'
import type { NewId } from '../ports/secrets.ts'
import type { CarryRun } from './carry-run.ts'
import { type CheckedRun, type CheckRunNeeds, makeCheckRun, type RunInput } from './check-run.ts'
import { firstEvents } from './first-events.ts'
import { makeOpenConversation, type OpenedConversation } from './open-conversation.ts'
import { makePausing, type PausingNeeds } from './pausing.ts'
import { type FileLinkSettings, makeRunFiles, type RunFilesNeeds } from './run-files.ts'

type Needs = CheckRunNeeds &
  PausingNeeds &
  RunFilesNeeds & {
    runs: RunStore
    runLog: RunLog
    runControl: RunControl
    runSlots: RunSlots
    carryRun: CarryRun
    audit: AuditLog
    newId: NewId
    settings: RunSettings & FileLinkSettings
  }

/** `runsPerWorkspace` may be under way at once; 0 is no limit. */
export type RunSettings = { readonly runsPerWorkspace: number; readonly uploads: UploadRules }

export type StartedRun = {
  readonly ids: RunIds
  readonly mode: AppMode
  readonly createdAtMs: number
  /** From the first event to the ending. */
  readonly events: AsyncIterable<RunEvent>
}

/** `gone` aborts when the caller goes away, also before the first event: that ends a chat and leaves a workflow running. */
export type RunApp = (admitted: Mounted, input: RunInput, gone: AbortSignal) => Promise<StartedRun>

/** Runs take seconds rather than milliseconds. */
const SLOT_RETRY_MS = 5000

/**
 * Starts a run and waits until it is under way, so that everything which can be refused is refused by a status
 * and not inside a stream.
 * @throws DomainError the refusals of the run route
 */
export function makeRunApp(needs: Needs): RunApp {
  const { runs, conversations, runLog, runControl, carryRun, audit, newId, now, runSlots, settings } = needs
  const checkRun = makeCheckRun(needs)
  const openConversation = makeOpenConversation(needs)

  return async (admitted, input, gone) => {
    const { mode } = admitted.app
    const checked = await checkRun(admitted, input)
    const opened = await openConversation(admitted, checked, input.autoGenerateName)
    const ids = idsFor(checked.definition, opened)
    const createdAtMs = now()
    await record(admitted, checked, ids, createdAtMs)
    const job = jobFor(admitted, checked, ids, opened)
    const { events, hangUp } = begin(admitted, job, opened, gone)
    try {
      const begun = await firstEvents(mode, events)
      await report(admitted, ids)
      return { ids, mode, createdAtMs, events: begun }
    } catch (error) {
      // Nobody will read on: a paced run would wait for its reader for ever.
      hangUp()
      throw error
    }
  }

  function idsFor(definition: AppDefinition, { conversation }: OpenedConversation): RunIds {
    return {
      taskId: newId(),
      runId: newId(),
      workflowId: definition.id,
      messageId: newId(),
      conversationId: conversation?.id ?? null,
    }
  }

  /** Takes a slot and stores the run; what could not be stored keeps no slot. */
  async function record({ app, caller }: Mounted, { request }: CheckedRun, ids: RunIds, createdAtMs: number) {
    const slot = { workspaceId: app.workspaceId, runId: ids.runId }
    const run: RunRecord = {
      id: ids.runId,
      taskId: ids.taskId,
      workspaceId: app.workspaceId,
      appId: app.id,
      workflowId: ids.workflowId,
      messageId: ids.messageId,
      conversationId: ids.conversationId,
      mode: app.mode,
      owner: caller.owner,
      createdFrom: 'openapi',
      status: 'running',
      inputs: request.inputs,
      createdAtMs,
    }
    await requireSlot(slot)
    try {
      await runs.start(run)
    } catch (error) {
      await runSlots.free(slot)
      throw error
    }
  }

  async function requireSlot(slot: Slot): Promise<void> {
    const { runsPerWorkspace: limit } = settings
    if (limit === 0 || (await runSlots.take(slot, limit))) return
    const message = `This workspace runs ${limit} apps already, which is all it may at once.`
    throw new DomainError('rate_limit_error', { message, retryAfterMs: SLOT_RETRY_MS })
  }

  function jobFor(
    { app, caller }: Mounted,
    checked: CheckedRun,
    ids: RunIds,
    { conversation, turns }: OpenedConversation,
  ): RunJob {
    const { definition, bindings, request } = checked
    return {
      app,
      definition,
      bindings,
      ids,
      request,
      pausing: makePausing(needs, { ids, request }),
      invokeFrom: 'openapi',
      callerId: caller.owner.id,
      files: makeRunFiles(needs, { appId: app.id, owner: caller.owner }),
      history: turns,
      conversationVariables: conversation?.variables ?? {},
      dialogueCount: turns.length,
      saveVariables: async (variables: JsonObject) => {
        if (conversation !== null) await conversations.saveVariables(conversation.id, variables)
      },
    }
  }

  /** Not waited for: the run goes its way, and `hangUp` is what becomes of it when nobody reads along. */
  function begin({ app, caller }: Mounted, job: RunJob, opened: OpenedConversation, gone: AbortSignal) {
    const { taskId, runId } = job.ids
    const reader = new AbortController()
    const events = runLog.read(runId, 1, reader.signal)
    const { newConversation, parentMessageId } = opened
    void carryRun({ job, owner: caller.owner, newConversation, parentMessageId })

    const hangUp = () => {
      if (onHangUp(app.mode) === 'stop') void runControl.stop(taskId, 'hang_up')
      reader.abort()
    }
    gone.addEventListener('abort', hangUp, { once: true })
    if (gone.aborted) hangUp()
    return { events, hangUp }
  }

  /** Nothing goes on that the audit log does not know of, not even a workflow, which needs no reader. */
  async function report({ app, caller, context }: Mounted, { taskId }: RunIds): Promise<void> {
    const facts = {
      appId: app.id,
      tenantId: app.workspaceId,
      callerKind: caller.kind,
      mode: app.mode,
      surface: 'apps' as const,
      tokenId: context.tokenId,
    }
    try {
      await audit.append({ event: 'app.run.openapi', facts }, now())
    } catch (error) {
      await runControl.stop(taskId, 'hang_up')
      throw error
    }
  }
}
