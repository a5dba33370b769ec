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
  /** Keeps the pause of a run that is running, which is then paused; false for any other, which stays as it is. */
  put(pause: RunPause): Promise<boolean>
  /** The pause in which a form of this token waits, while its run is paused. */
  find(tokenHash: string): Promise<RunPause | null>
  /** At most `limit` pauses of runs that are paused and have a form that expired by then, the longest ago first. */
  expired(nowMs: number, limit: number): Promise<readonly RunPause[]>
  /** As `find`, removes it, and the run is running again: of concurrent calls, for any form of it, one gets it. */
  take(tokenHash: string): Promise<RunPause | null>
}
