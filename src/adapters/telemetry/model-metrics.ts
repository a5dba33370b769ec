import { Counter, Histogram, type Registry } from 'prom-client'

const CALL_BUCKETS_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600]

/** How a call of a model went. Names of models are for apps to choose, so none becomes a label. */
type Call = {
  readonly outcome: string
  readonly seconds: number
  readonly firstTokenSeconds: number | null
  readonly usage: { readonly promptTokens: number; readonly completionTokens: number } | null
}

/** Where the model came from: the server's own settings, or a binding of a workspace. */
export type ModelSource = 'configured' | 'bound'

/** Counts the calls of models. */
export function meteredModels(registers: Registry[]): (source: ModelSource, call: Call) => void {
  const calls = new Counter({
    name: 'latchkey_model_calls_total',
    help: 'Calls of models that ended, by how.',
    labelNames: ['source', 'outcome'],
    registers,
  })
  const durations = new Histogram({
    name: 'latchkey_model_call_duration_seconds',
    help: 'From the question to the last piece of the answer.',
    labelNames: ['source'],
    buckets: CALL_BUCKETS_S,
    registers,
  })
  const firstTokens = new Histogram({
    name: 'latchkey_model_first_token_seconds',
    help: 'From the question to the first piece of the answer.',
    labelNames: ['source'],
    buckets: CALL_BUCKETS_S,
    registers,
  })
  const tokens = new Counter({
    name: 'latchkey_model_tokens_total',
    help: 'Tokens that models said they used.',
    labelNames: ['source', 'kind'],
    registers,
  })
  return (source, { outcome, seconds, firstTokenSeconds, usage }) => {
    calls.inc({ source, outcome })
    durations.observe({ source }, seconds)
    if (firstTokenSeconds !== null) firstTokens.observe({ source }, firstTokenSeconds)
    if (usage === null) return
    tokens.inc({ source, kind: 'prompt' }, whole(usage.promptTokens))
    tokens.inc({ source, kind: 'completion' }, whole(usage.completionTokens))
  }
}

/** An endpoint may say anything, and a counter that is told to go down throws. */
function whole(count: number): number {
  return Number.isSafeInteger(count) && count > 0 ? count : 0
}
