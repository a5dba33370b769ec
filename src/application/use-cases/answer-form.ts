import type { AppDefinition, JsonObject } from '#domain/app.ts'
import { DomainError } from '#domain/errors.ts'
import { type HumanForm, readAnswer } from '#domain/human-form.ts'
import type { Mounted } from '../auth/pipeline.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { ConversationStore } from '../ports/conversation-store.ts'
import type { RunPause } from '../ports/run-pauses.ts'
import type { RunStore } from '../ports/run-store.ts'
import type { CarryRun } from './carry-run.ts'
import { makePausing, type PausingNeeds } from './pausing.ts'
import { makeRunFiles, type RunFilesNeeds } from './run-files.ts'

type Needs = PausingNeeds &
  RunFilesNeeds & {
    apps: AppCatalog
    runs: RunStore
    conversations: ConversationStore
    carryRun: CarryRun
  }

export type SentForm = { readonly token: string; readonly action: string; readonly inputs: JsonObject }

export type HumanForms = {
  /** @throws DomainError `not_found` for a token that is used, unknown or of another's run */
  show(admitted: Mounted, token: string): Promise<HumanForm>
  /**
   * Takes the answer and lets the run go on; of two answers one is taken.
   * @throws DomainError `not_found` as above | `invalid_input` when the form has expired or the answer does not fit
   */
  answer(admitted: Mounted, sent: SentForm): Promise<{ readonly runId: string; readonly taskId: string }>
}

const HISTORY_TURNS = 100

/** The forms of paused runs, for whoever started the run. */
export function makeHumanForms(needs: Needs): HumanForms {
  const { apps, runs, conversations, carryRun, runPauses, digest, now } = needs

  async function requireForm({ app, caller }: Mounted, token: string) {
    const tokenHash = digest(token)
    const pause = await runPauses.find(tokenHash)
    const run = pause === null ? null : await runs.find(pause.ids.runId)
    const own = run?.appId === app.id && run.owner.kind === caller.owner.kind && run.owner.id === caller.owner.id
    const form = pause?.forms.find((one) => one.tokenHash === tokenHash)?.form
    if (!own || form === undefined) throw new DomainError('not_found', {})
    return { tokenHash, form, workflowId: pause?.ids.workflowId ?? '' }
  }

  async function goOn(
    { app, caller }: Mounted,
    definition: AppDefinition,
    pause: RunPause,
    answered: string,
    resume: Resume,
  ): Promise<void> {
    const { ids, request } = pause
    const { conversationId } = ids
    const { turns, lastMessageId } =
      conversationId === null
        ? { turns: [], lastMessageId: null }
        : await conversations.history(conversationId, HISTORY_TURNS)
    const others = pause.forms.filter(({ tokenHash }) => tokenHash !== answered)
    const job = {
      app,
      definition,
      ids,
      request,
      pausing: makePausing(needs, pause, others),
      resume,
      invokeFrom: 'openapi' as const,
      callerId: caller.owner.id,
      files: makeRunFiles(needs, { appId: app.id, owner: caller.owner }),
      history: turns,
      // They stand in the state, as the run left them.
      conversationVariables: {},
      dialogueCount: turns.length,
      saveVariables: async (variables: JsonObject) => {
        if (conversationId !== null) await conversations.saveVariables(conversationId, variables)
      },
    }
    const carriage = { job, owner: caller.owner, newConversation: null, parentMessageId: lastMessageId }
    await new Promise<void>((onReadable) => void carryRun({ ...carriage, onReadable }))
  }

  return {
    show: async (admitted, token) => (await requireForm(admitted, token)).form,

    async answer(admitted, { token, action, inputs }) {
      const { tokenHash, form, workflowId } = await requireForm(admitted, token)
      if (now() >= form.expiresAtMs) throw invalid([['form_token', 'the form has expired']])
      const read = readAnswer(form, { action, inputs })
      if (!read.ok) throw invalid(read.faults)
      // Before the form is used up: a run that cannot go on stays as it is.
      const definition = await apps.definition(admitted.app.id, workflowId)
      if (definition === null) throw new DomainError('not_found', {})
      const pause = await runPauses.take(tokenHash)
      if (pause === null) throw new DomainError('not_found', {})
      const { answer } = read
      await goOn(admitted, definition, pause, tokenHash, { state: pause.state, formId: form.formId, answer })
      const { runId, taskId } = pause.ids
      return { runId, taskId }
    },
  }
}

type Resume = NonNullable<Parameters<CarryRun>[0]['job']['resume']>

function invalid(faults: readonly (readonly [field: string, msg: string])[]): DomainError {
  const issues = faults.map(([field, msg]) => ({ type: 'value_error', loc: [field], msg }))
  return new DomainError('invalid_input', { issues })
}
