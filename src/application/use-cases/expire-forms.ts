import type { AppCatalog } from '../ports/app-catalog.ts'
import type { Log } from '../ports/log.ts'
import type { RunPause } from '../ports/run-pauses.ts'
import type { RunStore } from '../ports/run-store.ts'
import { type GoOnNeeds, makeGoOn } from './go-on.ts'

type Needs = GoOnNeeds & { apps: AppCatalog; runs: RunStore; log: Log }

/** Lets runs go on whose forms nobody answered in time, each once over all replicas; one that fails stops no other. */
export type ExpireForms = () => Promise<void>

/** What one process takes on at a time; the rest is for others, and for the next turn. */
const MAX_AT_ONCE = 50

export function makeExpireForms(needs: Needs): ExpireForms {
  const { apps, runs, runPauses, now, log } = needs
  const goOn = makeGoOn(needs)

  async function expire(found: RunPause, nowMs: number): Promise<void> {
    const { ids, forms } = found
    const late = forms.find(({ form }) => form.expiresAtMs <= nowMs)
    const run = await runs.find(ids.runId)
    if (late === undefined || run === null) return
    const [app, definition] = [await apps.find(run.appId), await apps.definition(run.appId, ids.workflowId)]
    // Before the form is used up: a run that cannot go on stays as it is.
    if (app === null || definition === null) return
    const { tokenHash, form } = late
    // Unless another replica does, or an answer came at the last moment.
    await goOn({ app, definition, owner: run.owner, found, tokenHash, formId: form.formId, answer: null })
  }

  return async () => {
    const nowMs = now()
    for (const pause of await runPauses.expired(nowMs, MAX_AT_ONCE)) {
      try {
        await expire(pause, nowMs)
      } catch (error) {
        log.error('a form that expired could not be put aside', { runId: pause.ids.runId, error })
      }
    }
  }
}
