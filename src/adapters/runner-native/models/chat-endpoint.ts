import type { ModelClient } from './model-client.ts'
import type { RefusedFormats } from './refused-formats.ts'

/** Where a model is served, and how to ask there. */
export type Endpoint = {
  readonly baseUrl: string
  readonly apiKey: string | null
  readonly name: string | null
  /** The way there; absent is the direct one. */
  readonly fetch?: typeof fetch
  /** What is remembered of formats beyond this client. Absent: nothing. */
  readonly refused?: RefusedFormats
}

/** Loads what asks endpoints: a large library, and many servers never ask a model. */
export const loadClient = () => import('./openai-compatible.ts')

/** Any server that speaks the chat completions protocol. */
export function createChatEndpoint(endpoint: Endpoint): ModelClient {
  let client: Pick<ModelClient, 'stream'> | null = null
  return {
    canRun: (model) => (endpoint.name ?? model) !== null,
    async *stream(request, signal) {
      const { createOpenAiModel } = await loadClient()
      client ??= createOpenAiModel(endpoint)
      yield* client.stream(request, signal)
    },
  }
}
