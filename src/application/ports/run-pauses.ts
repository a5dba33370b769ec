import type { JsonObject } from '#domain/app.ts'
import type { HumanForm } from '#domain/human-form.ts'
import type { RunIds, RunRequest } from '#domain/run.ts'

/** A form that waits for its answer; the token itself is only with whoever was asked. */
export type WaitingForm = { readonly tokenHash: string; readonly form: HumanForm }

/** A run that waits for people, with all it takes to go on in another process. */
export type RunPause = {
  readonly ids: RunIds
  readonly request: RunRequest
  /** Where the runner stood: plain JSON, meant for it alone. */
  readonly state: JsonObject
  readonly forms: readonly WaitingForm[]
  readonly pausedAtMs: number
}

/** Runs that wait for people. */
export interface RunPauses {
  /** Keeps a pause, or replaces the run's former one. */
  put(pause: RunPause): Promise<void>
  /** The pause in which a form of this token waits. */
  find(tokenHash: string): Promise<RunPause | null>
  /** As `find`, and removes it: of concurrent calls exactly one gets it. */
  take(tokenHash: string): Promise<RunPause | null>
}
