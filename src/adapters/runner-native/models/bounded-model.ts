import { type ModelClient, ModelFailure } from './model-client.ts'

/**
 * The same model, whose answers end as failed beyond `maxChars` of text and thoughts: an answer is kept in memory while
 * it grows, and a model that never comes to an end would take all there is.
 */
export function boundedModel(model: ModelClient, maxChars: number): ModelClient {
  return {
    canRun: (name, provider) => model.canRun(name, provider),
    async *stream(request, signal) {
      let chars = 0
      for await (const chunk of model.stream(request, signal)) {
        if (chunk.kind === 'text' || chunk.kind === 'reasoning') chars += chunk.delta.length
        if (chars > maxChars) {
          const message = `The model's answer is longer than ${maxChars} characters.`
          throw new ModelFailure({ code: 'completion_request_error', message })
        }
        yield chunk
      }
    },
  }
}
