import type { RunFailure, TokenUsage } from '#domain/run.ts'
import { type ModelClient, ModelFailure } from './model-client.ts'

/** How a call of a model went; never what was said. */
export type ModelCall = {
  readonly outcome: 'answered' | 'stopped' | 'broken' | RunFailure['code']
  readonly seconds: number
  /** Until the first piece of text; null when none came. */
  readonly firstTokenSeconds: number | null
  readonly usage: TokenUsage | null
}

/** Is told when a call begins, and by what it returns, when it ends. */
export type ObserveModel = () => (call: ModelCall) => void

/** The same model; every call of it is told to `observe`. */
export function observedModel(model: ModelClient, observe: ObserveModel): ModelClient {
  return {
    canRun: (name, provider) => model.canRun(name, provider),
    async *stream(request, signal) {
      const startedAtMs = performance.now()
      const secondsSoFar = () => (performance.now() - startedAtMs) / 1000
      const ended = observe()
      let outcome: ModelCall['outcome'] = 'stopped'
      let firstTokenSeconds: number | null = null
      let usage: TokenUsage | null = null
      try {
        for await (const chunk of model.stream(request, signal)) {
          if (chunk.kind === 'usage') usage = chunk.usage
          else if (chunk.kind !== 'finish') firstTokenSeconds ??= secondsSoFar()
          yield chunk
        }
        if (!signal.aborted) outcome = 'answered'
      } catch (error) {
        outcome = error instanceof ModelFailure ? error.failure.code : 'broken'
        throw error
      } finally {
        ended({ outcome, seconds: secondsSoFar(), firstTokenSeconds, usage })
      }
    },
  }
}
