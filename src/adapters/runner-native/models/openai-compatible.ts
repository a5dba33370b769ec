import OpenAI from 'openai'
import type { RunFailure } from '#domain/run.ts'
import { inBestFormat } from './answer-format.ts'
import type { Endpoint } from './chat-endpoint.ts'
import { collectCalls } from './collect-calls.ts'
import { completionRequest } from './completion-request.ts'
import { endpointFailure } from './endpoint-failure.ts'
import { type ModelChunk, type ModelClient, ModelFailure } from './model-client.ts'
import { createRefusedFormats } from './refused-formats.ts'

const TIMEOUT_MS = 600_000
/** A page, silence, another protocol: without this they would pass for an empty answer. */
const UNREADABLE: RunFailure = {
  code: 'completion_request_error',
  message: 'The model answered with something that is no completion.',
}

/** Asks such a server; see `createChatEndpoint`. A failed call is not repeated here: that is the app's choice. */
export function createOpenAiModel(endpoint: Endpoint): Pick<ModelClient, 'stream'> {
  const { baseUrl, apiKey, name, fetch, refused = createRefusedFormats() } = endpoint
  // Servers on one's own machine take no key, but the client insists on one.
  const client = new OpenAI({
    baseURL: baseUrl,
    apiKey: apiKey ?? 'none',
    maxRetries: 0,
    // It would print what the endpoint sent, prompts and answers, past the log.
    logLevel: 'off',
    timeout: TIMEOUT_MS,
    ...(fetch === undefined ? {} : { fetch }),
  })
  return {
    async *stream(request, signal) {
      const model = name ?? request.model ?? ''
      const calls = collectCalls()
      try {
        const asked = { place: [baseUrl, apiKey, model], schema: request.answerSchema, refused }
        const chunks = await inBestFormat(asked, (format) =>
          client.chat.completions.create(completionRequest(model, request, format), { signal }),
        )
        let isChunk = false
        for await (const chunk of chunks) {
          isChunk ||= chunk.choices?.[0] !== undefined || Boolean(chunk.usage)
          for (const piece of chunk.choices?.[0]?.delta?.tool_calls ?? []) calls.take(piece)
          yield* read(chunk)
        }
        if (!isChunk && !signal.aborted) throw new ModelFailure(UNREADABLE)
        for (const call of calls.all()) yield { kind: 'call', call }
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof ModelFailure) throw error
        throw new ModelFailure(endpointFailure(error, apiKey, request), { cause: error })
      }
    },
  }
}

/** `reasoning_content` is what several compatible servers add to a delta. */
type Delta = { readonly content?: string | null; readonly reasoning_content?: string | null }

function* read(chunk: OpenAI.ChatCompletionChunk): Generator<ModelChunk> {
  const [choice] = chunk.choices ?? []
  const delta: Delta = choice?.delta ?? {}
  if (delta.reasoning_content) yield { kind: 'reasoning', delta: delta.reasoning_content }
  if (delta.content) yield { kind: 'text', delta: delta.content }
  if (choice?.finish_reason) yield { kind: 'finish', reason: choice.finish_reason }
  if (chunk.usage) {
    const { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: totalTokens } = chunk.usage
    yield { kind: 'usage', usage: { promptTokens, completionTokens, totalTokens } }
  }
}
