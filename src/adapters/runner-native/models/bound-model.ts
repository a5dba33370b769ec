import type { Bindings, ModelBinding } from '#application/ports/bindings.ts'
import { type ModelClient, ModelFailure } from './model-client.ts'

/** Makes the client of a bound model. */
export type OpenBoundModel = (binding: ModelBinding) => ModelClient

/** Asks each model where the workspace bound it, and every other one of the configured default. */
export function createBoundModel(fallback: ModelClient | null, bindings: Bindings, open: OpenBoundModel): ModelClient {
  const clientOf = (provider: string, model: string | null): ModelClient | null => {
    const binding = bindings.model(provider, model ?? '')
    return binding === null ? fallback : open(binding)
  }
  return {
    canRun: (model, provider = '') => clientOf(provider, model)?.canRun(model, provider) === true,
    async *stream(request, signal) {
      const client = clientOf(request.provider ?? '', request.model)
      if (client === null) {
        throw new ModelFailure({ code: 'provider_not_initialize', message: 'No model is configured.' })
      }
      yield* client.stream(request, signal)
    },
  }
}
