import type { JsonObject } from '#domain/app.ts'
import type { AppMode } from '#domain/app-mode.ts'
import type { TokenUsage } from '#domain/run.ts'
import type { Owner } from './conversation-store.ts'

export type RunStatus = 'running' | 'succeeded' | 'failed' | 'stopped' | 'partial-succeeded' | 'paused'

export type RunRecord = {
  readonly id: string
  readonly taskId: string
  readonly workspaceId: string
  readonly appId: string
  readonly workflowId: string
  readonly mode: AppMode
  readonly owner: Owner
  /** `openapi` for runs of this API. */
  readonly createdFrom: string
  readonly status: RunStatus
  readonly inputs: JsonObject
  readonly createdAtMs: number
}

export type RunResult = {
  readonly status: Exclude<RunStatus, 'running'>
  readonly outputs: JsonObject
  readonly error: string | null
  readonly usage: TokenUsage
  readonly totalSteps: number
  readonly exceptionsCount: number
  readonly elapsedS: number
  readonly finishedAtMs: number
}

/** Runs of every mode, from their start to their one ending. */
export interface RunStore {
  start(run: RunRecord): Promise<void>
  /** True once: a run that has ended keeps its ending. */
  finish(runId: string, result: RunResult): Promise<boolean>
  /** Stops every run that stands as running. Only for whoever knows that no process carries any. */
  endAbandoned(atMs: number): Promise<void>
  find(runId: string): Promise<(RunRecord & { readonly result: RunResult | null }) | null>
  findByTask(taskId: string): Promise<(RunRecord & { readonly result: RunResult | null }) | null>
}
