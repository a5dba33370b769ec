import type { Timer } from '#application/ports/clock.ts'
import type { RefusedFormats } from './answer-format.ts'
import type { ModelClient } from './model-client.ts'
import { createOpenAiModel } from './openai-compatible.ts'
import { createScriptedModel } from './scripted.ts'

/** The operator's choice; empty counts as unset. */
export type ModelSettings = {
  readonly baseUrl: string | null
  readonly apiKey: string | null
  readonly name: string | null
}

const MAX_LATENCY_MS = 60_000

/** The configured model, or null when no address is set. `scripted:` is the built-in deterministic one. */
export function openModel(
  { baseUrl, apiKey, name }: ModelSettings,
  timer: Timer,
  fetcher: typeof fetch = fetch,
  refused?: RefusedFormats,
): ModelClient | null {
  if (baseUrl === null || baseUrl === '') return null
  if (!baseUrl.startsWith('scripted:')) {
    const endpoint = { baseUrl, apiKey: apiKey || null, name: name || null, fetch: fetcher }
    return createOpenAiModel(refused === undefined ? endpoint : { ...endpoint, refused })
  }
  const latency = Number(/[?&]latency_ms=(\d{1,6})/.exec(baseUrl)?.[1] ?? 0)
  return createScriptedModel(Math.min(latency, MAX_LATENCY_MS), timer)
}
