import type { AppRunner, Pausing, RunJob } from '#application/ports/app-runner.ts'
import type { JsonObject } from '#domain/app.ts'
import type { HumanForm } from '#domain/human-form.ts'
import type { RunStep } from '#domain/run.ts'

const MAX_PAUSES = 50

/** The steps of a run in which everybody who is asked answers at once: by the first action, with `words`. */
export async function* answeredRun(
  runner: AppRunner,
  job: RunJob,
  words: string,
  signal: AbortSignal,
): AsyncGenerator<RunStep> {
  const asked: HumanForm[] = []
  let state: JsonObject = {}
  const pausing: Pausing = {
    newToken: () => crypto.randomUUID(),
    keep: async (kept, forms) => {
      state = kept
      asked.push(...forms.map(({ form }) => form))
    },
  }
  let going: RunJob = { ...job, pausing }
  for (let pauses = 0; pauses <= MAX_PAUSES; pauses++) {
    let isPaused = false
    for await (const step of runner.run(going, signal)) {
      yield step
      isPaused = step.kind === 'paused'
    }
    const form = isPaused ? asked.shift() : undefined
    if (form === undefined) return
    const values = Object.fromEntries(form.fields.map(({ name, default: preset }) => [name, preset || words]))
    const answer = { actionId: form.actions[0]?.id ?? '', values }
    going = { ...job, pausing, resume: { state, formId: form.formId, answer } }
  }
}
