import type { JsonObject } from '#domain/app.ts'
import type { TokenUsage } from '#domain/run.ts'

/** What one execution of one node did, without secrets and cut to size. */
export type NodeTrace = {
  readonly runId: string
  readonly executionId: string
  /** Counts executions of the run from 1. */
  readonly index: number
  readonly nodeId: string
  readonly nodeType: string
  readonly title: string
  readonly status: 'succeeded' | 'failed' | 'exception' | 'stopped'
  readonly inputs: JsonObject
  readonly outputs: JsonObject
  readonly error: string | null
  readonly elapsedMs: number
  readonly startedAtMs: number
  readonly usage: TokenUsage
}

/** Traces of nodes, for operators. */
export interface NodeTraces {
  /** All of them in one statement, or none; those that are there already, or whose run is gone, are left out. */
  add(traces: readonly NodeTrace[]): Promise<void>
  /** Of one run, by index. */
  list(runId: string, limit: number): Promise<readonly NodeTrace[]>
  /** Deletes at most `limit` that began before the cutoff; tells how many. Of two at once none deletes the other's. */
  forget(cutoffMs: number, limit: number): Promise<number>
}

/** Keys that a workspace's runs may meet, as far as this process has read them. */
export type KnownKeys = (workspaceId: string) => readonly string[]
