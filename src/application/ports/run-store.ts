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
  readonly messageId: string
  readonly conversationId: string | null
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

export type StoredRun = RunRecord & {
  readonly result: RunResult | null
  /** What its message says, once that is kept. */
  readonly answer: string | null
}

/** Runs of every mode, from their start to their one ending. */
export interface RunStore {
  start(run: RunRecord): Promise<void>
  /** True once: a run that has ended keeps its ending. */
  finish(runId: string, result: RunResult): Promise<boolean>
  /** Says that these are carried; those of them that have not ended. */
  renew(runIds: readonly string[]): Promise<readonly string[]>
  /**
   * Stops every run that stands as running and was not renewed for so long; their ids, each to one caller. Null stops
   * all of them: only for whoever knows that no process carries any.
   */
  endAbandoned(atMs: number, silentMs: number | null): Promise<readonly string[]>
  /** By its own id or that of its task. */
  find(id: string): Promise<StoredRun | null>
}
