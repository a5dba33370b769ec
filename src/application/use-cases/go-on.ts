import type { App, AppDefinition, JsonObject } from '#domain/app.ts'
import type { FormAnswer } from '#domain/human-form.ts'
import { type ConversationStore, type Owner, REMEMBERED } from '../ports/conversation-store.ts'
import type { RunPause } from '../ports/run-pauses.ts'
import type { CarryRun } from './carry-run.ts'
import { makePausing, type PausingNeeds } from './pausing.ts'
import { makeRunFiles, type RunFilesNeeds } from './run-files.ts'

export type GoOnNeeds = PausingNeeds & RunFilesNeeds & { conversations: ConversationStore; carryRun: CarryRun }

type Going = {
  readonly app: App
  readonly definition: AppDefinition
  readonly owner: Owner
  /** As it was found; somebody else may take it first. */
  readonly found: RunPause
  /** Of the form that is used up. */
  readonly tokenHash: string
  readonly formId: string
  /** Null when none came in time. */
  readonly answer: FormAnswer | null
}

/**
 * Lets a paused run go on in this process; resolves as soon as what it tells can be read. False when somebody else has
 * let it go on.
 */
export function makeGoOn(needs: GoOnNeeds): (going: Going) => Promise<boolean> {
  const { conversations, carryRun, runPauses } = needs
  return async ({ app, definition, owner, found, tokenHash, formId, answer }) => {
    const { conversationId } = found.ids
    const { turns, lastMessageId } =
      conversationId === null
        ? { turns: [], lastMessageId: null }
        : await conversations.history(conversationId, REMEMBERED)
    // Last of what can fail: from here on the form is used up.
    const pause = await runPauses.take(tokenHash)
    if (pause === null) return false
    const { ids, request, state } = pause
    const others = pause.forms.filter((one) => one.tokenHash !== tokenHash)
    const job = {
      app,
      definition,
      ids,
      request,
      pausing: makePausing(needs, pause, others),
      resume: { state, formId, answer },
      invokeFrom: 'openapi' as const,
      callerId: owner.id,
      files: makeRunFiles(needs, { appId: app.id, owner }),
      history: turns,
      // They stand in the state, as the run left them.
      conversationVariables: {},
      dialogueCount: turns.length,
      saveVariables: async (variables: JsonObject) => {
        if (conversationId !== null) await conversations.saveVariables(conversationId, variables)
      },
    }
    const carriage = { job, owner, newConversation: null, parentMessageId: lastMessageId }
    await new Promise<void>((onReadable) => void carryRun({ ...carriage, onReadable }))
    return true
  }
}
