import type { Json, JsonObject } from './app.ts'

/** The names of one run on the wire. `messageId` and `conversationId` exist in the chat family, `messageId` in completion. */
export type RunIds = {
  readonly taskId: string
  readonly runId: string
  readonly workflowId: string
  readonly messageId: string
  readonly conversationId: string | null
}

export type TokenUsage = {
  readonly promptTokens: number
  readonly completionTokens: number
  readonly totalTokens: number
}

export const NO_USAGE: TokenUsage = { promptTokens: 0, completionTokens: 0, totalTokens: 0 }

/** How a failure is told in a stream; the same codes answer before the first byte. */
export type RunFailure = {
  readonly code:
    | 'invalid_param'
    | 'provider_not_initialize'
    | 'provider_quota_exceeded'
    | 'model_currently_not_support'
    | 'completion_request_error'
    | 'rate_limit_error'
    | 'upstream_failed'
    | 'service_unavailable'
    | 'internal_server_error'
  /** For the user; a fault of ours has a fixed text. */
  readonly message: string
  readonly retryAfterMs?: number
  /** What to do about it, where the message alone does not tell. */
  readonly hint?: string
}

export type NodeRef = {
  /** One execution of one node; a retry keeps it. */
  readonly executionId: string
  readonly nodeId: string
  readonly nodeType: string
  readonly title: string
  /** Counts executions of the run from 1. */
  readonly index: number
  readonly predecessorNodeId: string | null
  readonly iterationId: string | null
  readonly loopId: string | null
}

/** Totals that every ending carries. */
export type RunTotals = {
  readonly usage: TokenUsage
  readonly totalSteps: number
  readonly elapsedS: number
  readonly exceptionsCount: number
}

/** How a run ended: exactly one of these, and nothing after it. */
export type RunEnding =
  | ({
      readonly kind: 'succeeded'
      readonly outputs: JsonObject
      readonly answer: string
      readonly retrieverResources: readonly Json[]
    } & RunTotals)
  | ({
      readonly kind: 'partial'
      readonly outputs: JsonObject
      readonly answer: string
      readonly retrieverResources: readonly Json[]
    } & RunTotals)
  | ({
      readonly kind: 'failed'
      readonly failure: RunFailure
      readonly outputs: JsonObject
      readonly answer: string
    } & RunTotals)
  | ({
      readonly kind: 'stopped'
      readonly reason: string
      readonly outputs: JsonObject
      readonly answer: string
    } & RunTotals)

/**
 * What a runner tells, in full detail; presenters trim it. Closed: a presenter that forgets a kind does not
 * compile. Durations are seconds, as on the wire.
 */
export type RunStep =
  | { readonly kind: 'run_started'; readonly inputs: JsonObject; readonly reason: 'initial' | 'resumption' }
  | ({ readonly kind: 'node_started' } & NodeRef)
  | ({
      readonly kind: 'node_finished'
      readonly status: 'succeeded' | 'failed' | 'exception' | 'stopped'
      readonly inputs: JsonObject
      readonly processData: JsonObject
      readonly outputs: JsonObject
      readonly error: string | null
      readonly elapsedS: number
      readonly usage: TokenUsage | null
    } & NodeRef)
  | ({ readonly kind: 'node_retry'; readonly error: string; readonly retryIndex: number } & NodeRef)
  | ({
      readonly kind: 'iteration_started' | 'loop_started'
      readonly inputs: JsonObject
      readonly length: number | null
    } & NodeRef)
  | ({ readonly kind: 'iteration_next' | 'loop_next'; readonly round: number } & NodeRef)
  | ({
      readonly kind: 'iteration_completed' | 'loop_completed'
      readonly status: 'succeeded' | 'failed'
      readonly outputs: JsonObject
      readonly error: string | null
      readonly elapsedS: number
      readonly rounds: number
    } & NodeRef)
  | {
      readonly kind: 'text'
      readonly delta: string
      readonly fromSelector: readonly string[] | null
      /** Where each piece of `delta` ends, the last one with it, when it is several that came at once. */
      readonly ends?: readonly number[]
    }
  | {
      readonly kind: 'agent_thought'
      readonly thoughtId: string
      readonly position: number
      readonly thought: string
      readonly observation: string
      readonly tool: string
      readonly toolLabels: JsonObject
      readonly toolInput: string
      readonly messageFiles: readonly string[]
    }
  | {
      readonly kind: 'agent_log'
      readonly nodeExecutionId: string
      readonly label: string
      readonly status: string
      readonly data: JsonObject
    }
  | { readonly kind: 'message_file'; readonly fileId: string; readonly type: string; readonly url: string }
  | { readonly kind: 'message_replace'; readonly answer: string; readonly reason: string }
  | { readonly kind: 'human_input_required'; readonly form: JsonObject }
  | { readonly kind: 'human_input_form_filled'; readonly form: JsonObject }
  | { readonly kind: 'human_input_form_timeout'; readonly form: JsonObject }
  | ({ readonly kind: 'paused'; readonly reasons: readonly JsonObject[] } & RunTotals)
  | RunEnding

/** A step as the log keeps it: `seq` counts from 1 without gaps, `atMs` is when it was appended. */
export type RunEvent = RunStep & { readonly seq: number; readonly atMs: number }

/** Whether nothing can follow. */
export function isEnding(step: RunStep): step is RunEnding {
  switch (step.kind) {
    case 'succeeded':
    case 'partial':
    case 'failed':
    case 'stopped':
      return true
    default:
      return false
  }
}

/** A file handed to a run. `local_file` and `tool_file` name stored files by id, `remote_url` an address. */
export type FileRef =
  | { readonly type: string; readonly transferMethod: 'remote_url'; readonly url: string; readonly name: string | null }
  | {
      readonly type: string
      readonly transferMethod: 'local_file' | 'tool_file'
      readonly uploadFileId: string
      readonly name: string | null
      /** Absent where only the id is known. The extension is without a dot, the size in bytes. */
      readonly facts?: { readonly extension: string; readonly mimeType: string; readonly size: number }
    }

/** What a caller asks of an app, after its inputs were checked against the app's form. */
export type RunRequest = {
  readonly inputs: JsonObject
  /** "" for workflows. */
  readonly query: string
  readonly files: readonly FileRef[]
}

/** One finished turn of a conversation. */
export type Turn = { readonly query: string; readonly answer: string }
