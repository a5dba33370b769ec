import type { App, AppDefinition, JsonObject } from '#domain/app.ts'
import type { FormAnswer } from '#domain/human-form.ts'
import type { ConversationStore, Owner } from '../ports/conversation-store.ts'
import type { RunPause } from '../ports/run-pauses.ts'
import type { CarryRun } from './carry-run.ts'
import { makePausing, type PausingNeeds } from './pausing.ts'
import { makeRunFiles, type RunFilesNeeds } from './run-files.ts'

export type GoOnNeeds = PausingNeeds & RunFilesNeeds & { conversations: ConversationStore; carryRun: CarryRun }

type Going = {
  readonly app: App
  readonly definition: AppDefinition
  readonly owner: Owner
  /** Taken by whoever calls: nobody else has it any more. */
  readonly pause: RunPause
  /** Of the form that is used up. */
  readonly tokenHash: string
  readonly formId: string
  /** Null when none came in time. */
  readonly answer: FormAnswer | null
}

const HISTORY_TURNS = 100

/** Lets a paused run go on in this process; resolves as soon as what it tells can be read. */
export function makeGoOn(needs: GoOnNeeds): (going: Going) => Promise<void> {
  const { conversations, carryRun } = needs
  return async ({ app, definition, owner, pause, tokenHash, formId, answer }) => {
    const { ids, request, state } = pause
    const { conversationId } = ids
    const { turns, lastMessageId } =
      conversationId === null
        ? { turns: [], lastMessageId: null }
        : await conversations.history(conversationId, HISTORY_TURNS)
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
  }
}
