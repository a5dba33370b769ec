import type { JsonObject } from '#domain/app.ts'
import { DomainError } from '#domain/errors.ts'
import { type HumanForm, readAnswer } from '#domain/human-form.ts'
import type { Mounted } from '../auth/pipeline.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { RunStore } from '../ports/run-store.ts'
import { type GoOnNeeds, makeGoOn } from './go-on.ts'

type Needs = GoOnNeeds & { apps: AppCatalog; runs: RunStore }

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

/** The forms of paused runs, for whoever started the run. */
export function makeHumanForms(needs: Needs): HumanForms {
  const { apps, runs, runPauses, digest, now } = needs
  const goOn = makeGoOn(needs)

  async function requireForm({ app, caller }: Mounted, token: string) {
    const tokenHash = digest(token)
    const pause = await runPauses.find(tokenHash)
    const run = pause === null ? null : await runs.find(pause.ids.runId)
    const own = run?.appId === app.id && run.owner.kind === caller.owner.kind && run.owner.id === caller.owner.id
    const form = pause?.forms.find((one) => one.tokenHash === tokenHash)?.form
    if (!own || pause === null || form === undefined) throw new DomainError('not_found', {})
    return { tokenHash, form, found: pause }
  }

  return {
    show: async (admitted, token) => (await requireForm(admitted, token)).form,

    async answer(admitted, { token, action, inputs }) {
      const { tokenHash, form, found } = await requireForm(admitted, token)
      if (now() >= form.expiresAtMs) throw invalid([['form_token', 'the form has expired']])
      const read = readAnswer(form, { action, inputs })
      if (!read.ok) throw invalid(read.faults)
      // Before the form is used up: a run that cannot go on stays as it is.
      const definition = await apps.definition(admitted.app.id, found.ids.workflowId)
      if (definition === null) throw new DomainError('not_found', {})
      const { answer } = read
      const { app, caller } = admitted
      const going = { app, definition, owner: caller.owner, found, tokenHash, formId: form.formId, answer }
      if (!(await goOn(going))) throw new DomainError('not_found', {})
      const { runId, taskId } = found.ids
      return { runId, taskId }
    },
  }
}

function invalid(faults: readonly (readonly [field: string, msg: string])[]): DomainError {
  const issues = faults.map(([field, msg]) => ({ type: 'value_error', loc: [field], msg }))
  return new DomainError('invalid_input', { issues })
}
