import type { RunEnding, RunFailure, RunStep, TokenUsage } from '#domain/run.ts'

/** Seconds since the epoch, as run payloads have them. */
export function seconds(atMs: number): number {
  return Math.floor(atMs / 1000)
}

/** What the models of a run took, as run payloads have it. */
export function usageOf({ promptTokens, completionTokens, totalTokens }: TokenUsage) {
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: totalTokens }
}

/** How a run ended, in the word that run payloads have for it. */
export const ENDING_STATUS = {
  succeeded: 'succeeded',
  partial: 'partial-succeeded',
  failed: 'failed',
  stopped: 'stopped',
} as const satisfies Record<RunEnding['kind'], string>

/** What a pause says of the run, wherever it is told. */
export function pausedData({ reasons, usage, totalSteps, elapsedS }: Extract<RunStep, { kind: 'paused' }>) {
  return {
    paused_nodes: reasons.map((reason) => String(reason.node_id)),
    reasons: reasons.map((reason) => ({ ...reason })),
    status: 'paused' as const,
    elapsed_time: elapsedS,
    total_tokens: usage.totalTokens,
    total_steps: totalSteps,
  }
}

/** The ending as a failure to tell, or null when it is none. A stop by the server is one, a stop by a person is not. */
export function failureOf(ending: RunEnding): RunFailure | null {
  if (ending.kind === 'failed') return ending.failure
  const byServer = ending.kind === 'stopped' && ending.reason === 'shutdown'
  return byServer ? { code: 'service_unavailable', message: 'the server is stopping' } : null
}
