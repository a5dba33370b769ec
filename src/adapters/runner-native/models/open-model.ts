import type { Timer } from '#application/ports/clock.ts'
import { createChatEndpoint } from './chat-endpoint.ts'
import type { ModelClient } from './model-client.ts'
import type { RefusedFormats } from './refused-formats.ts'
import { createScriptedModel } from './scripted.ts'

/** The operator's choice; empty counts as unset. */
export type ModelSettings = {
  readonly baseUrl: string | null
  readonly apiKey: string | null
  readonly name: string | null
}

const MAX_LATENCY_MS = 60_000

/** Whether `openModel` gives what asks a server for its answers. */
export function isEndpoint(baseUrl: string | null): boolean {
  return baseUrl !== null && baseUrl !== '' && !baseUrl.startsWith('scripted:')
}

/** The configured model, or null when no address is set. `scripted:` is the built-in deterministic one. */
export function openModel(
  { baseUrl, apiKey, name }: ModelSettings,
  timer: Timer,
  fetcher: typeof fetch = fetch,
  refused?: RefusedFormats,
): ModelClient | null {
  if (baseUrl === null || baseUrl === '') return null
  if (isEndpoint(baseUrl)) {
    const endpoint = { baseUrl, apiKey: apiKey || null, name: name || null, fetch: fetcher }
    return createChatEndpoint(refused === undefined ? endpoint : { ...endpoint, refused })
  }
  const latency = Number(/[?&]latency_ms=(\d{1,6})/.exec(baseUrl)?.[1] ?? 0)
  return createScriptedModel(Math.min(latency, MAX_LATENCY_MS), timer)
}
