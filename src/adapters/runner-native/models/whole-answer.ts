import { NO_USAGE, type TokenUsage } from '#domain/run.ts'
import type { ModelClient, ModelRequest, ToolCall } from './model-client.ts'

/** A model's whole answer. */
export type Said = {
  readonly text: string
  readonly reasoning: string
  readonly calls: readonly ToolCall[]
  readonly finishReason: string | null
  readonly usage: TokenUsage
}

/** Who hears the answer while it comes; resolves when there is room for more. */
export type Hearing = (delta: string) => Promise<void>

/**
 * Asks a model and waits for all it says.
 * @throws ModelFailure
 */
export async function wholeAnswer(
  model: ModelClient,
  request: ModelRequest,
  signal: AbortSignal,
  hear?: Hearing,
): Promise<Said> {
  let [text, reasoning, finishReason, usage]: [string, string, string | null, TokenUsage] = ['', '', null, NO_USAGE]
  const calls: ToolCall[] = []
  for await (const chunk of model.stream(request, signal)) {
    switch (chunk.kind) {
      case 'usage':
        usage = chunk.usage
        break
      case 'finish':
        finishReason = chunk.reason
        break
      case 'call':
        calls.push(chunk.call)
        break
      case 'reasoning':
        reasoning += chunk.delta
        break
      case 'text':
        text += chunk.delta
        await hear?.(chunk.delta)
    }
  }
  return { text, reasoning, calls, finishReason, usage }
}

/** Tokens of several calls together. */
export function addUsage(one: TokenUsage, other: TokenUsage): TokenUsage {
  return {
    promptTokens: one.promptTokens + other.promptTokens,
    completionTokens: one.completionTokens + other.completionTokens,
    totalTokens: one.totalTokens + other.totalTokens,
  }
}
