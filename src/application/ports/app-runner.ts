import type { App, AppDefinition, Json, JsonObject } from '#domain/app.ts'
import type { PreflightIssue } from '#domain/errors.ts'
import type { FormAnswer, HumanForm } from '#domain/human-form.ts'
import type { RunIds, RunRequest, RunStep, Turn } from '#domain/run.ts'
import type { Bindings } from './bindings.ts'
import type { RunFiles } from './run-files.ts'

/** How a run waits for people. */
export type Pausing = {
  /** A secret for one form, unguessable. */
  readonly newToken: () => string
  /** Keeps everything before anybody hears that the run is paused. */
  readonly keep: (
    state: JsonObject,
    forms: readonly { readonly form: HumanForm; readonly token: string }[],
  ) => Promise<void>
}

/** Everything a runner may know about one run. `invokeFrom` is always `openapi` here. */
export type RunJob = {
  readonly app: App
  readonly definition: AppDefinition
  readonly ids: RunIds
  readonly request: RunRequest
  readonly invokeFrom: 'openapi'
  /** Opaque, stable name of the caller for `sys.user_id`; never an email. */
  readonly callerId: string
  /** Turns of the conversation so far, oldest first; empty outside the chat family. */
  readonly history: readonly Turn[]
  readonly conversationVariables: JsonObject
  /** How many turns the conversation had before this one. */
  readonly dialogueCount: number
  /** How the run waits for people; absent where it cannot. */
  readonly pausing?: Pausing
  /** Where a paused run goes on, and with which answer, null when none came in time; absent for a run that begins. */
  readonly resume?: { readonly state: JsonObject; readonly formId: string; readonly answer: FormAnswer | null }
  /** What the app's workspace binds; absent: the runner reads it. */
  readonly bindings?: Bindings
  /** The caller's uploads; absent where there are none. */
  readonly files?: RunFiles
  /** Keeps conversation variables that the run assigned. */
  readonly saveVariables: (variables: Readonly<Record<string, Json>>) => Promise<void>
}

/** What keeps an app from running now, node by node; `model` when nothing but models is missing. */
export type Preflight =
  | { readonly ok: true }
  | {
      readonly ok: false
      readonly reason: 'model'
      readonly message: string
      readonly hint: string
      readonly issues: readonly PreflightIssue[]
    }
  | { readonly ok: false; readonly reason: 'nodes'; readonly issues: readonly PreflightIssue[] }

/** Executes apps. */
export interface AppRunner {
  /** Checks the reachable parts against what is configured, or against `bindings`; asks nobody outside. */
  preflight(app: App, definition: AppDefinition, bindings?: Bindings): Promise<Preflight>
  /**
   * Runs to exactly one ending, which is the last step, or to a pause. Never throws for what an app or a model does: that is a
   * `failed` ending. `signal` aborts the model within a second and ends the run as `stopped`.
   */
  run(job: RunJob, signal: AbortSignal): AsyncIterable<RunStep>
}
