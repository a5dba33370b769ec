import OpenAI, { APIError } from 'openai'
import type { Json, JsonObject } from '#domain/app.ts'
import type { RunFailure } from '#domain/run.ts'
import { EgressFailure } from '../egress/http-egress.ts'
import { createRefusedFormats, inBestFormat, type RefusedFormats } from './answer-format.ts'
import { collectCalls } from './collect-calls.ts'
import {
  type ModelChunk,
  type ModelClient,
  ModelFailure,
  type ModelMessage,
  type ModelRequest,
} from './model-client.ts'

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

const TIMEOUT_MS = 600_000
const DEFAULT_RETRY_AFTER_MS = 1000
/** A page, silence, another protocol: without this they would pass for an empty answer. */
const UNREADABLE: RunFailure = {
  code: 'completion_request_error',
  message: 'The model answered with something that is no completion.',
}
const MAX_DETAIL = 300
/** How servers answer for models that cannot call functions; each has its own words. */
const TOOLS_REFUSED = [400, 404, 422, 500, 501]

/** Any server that speaks the chat completions protocol. A failed call is not repeated here: that is the app's choice. */
export function createOpenAiModel(endpoint: Endpoint): ModelClient {
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
    canRun: (model) => (name ?? model) !== null,
    async *stream(request, signal) {
      const model = name ?? request.model ?? ''
      const calls = collectCalls()
      try {
        const asked = { place: [baseUrl, apiKey, model], schema: request.answerSchema, refused }
        const chunks = await inBestFormat(asked, (format) =>
          client.chat.completions.create(wireRequest(model, request, format), { signal }),
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
        throw new ModelFailure(explain(error, apiKey, request), { cause: error })
      }
    },
  }
}

function wireRequest(model: string, request: ModelRequest, format: JsonObject | null) {
  return {
    // Unknown parameters (enable_thinking, web_search, …) pass through untouched; the types cannot know them.
    ...wireParams(request.params, format),
    ...wireTools(request),
    model,
    messages: request.messages.map(toWire),
    stream: true as const,
    stream_options: { include_usage: true },
  }
}

/** Apps write the format as a bare name, and its schema beside it as text; the protocol nests both. */
function wireParams(params: JsonObject, own: JsonObject | null): JsonObject {
  const { response_format: format, json_schema: schema, ...others } = params
  if (own !== null) return { ...others, response_format: own }
  if (typeof format !== 'string' || format === '') return params
  if (format !== 'json_schema') return { ...others, response_format: { type: format } }
  return { ...others, response_format: { type: format, json_schema: schemaOf(schema ?? null) } }
}

function schemaOf(schema: Json): Json {
  try {
    return typeof schema === 'string' ? (JSON.parse(schema) as Json) : schema
  } catch (error) {
    // The endpoint explains best what it does not understand.
    if (error instanceof SyntaxError) return schema
    throw error
  }
}

function wireTools({ tools = [], mustCall }: ModelRequest) {
  if (tools.length === 0) return {}
  const functions = tools.map(({ name, description, parameters }) => ({
    type: 'function' as const,
    function: { name, description, parameters: { ...parameters } },
  }))
  if (mustCall === undefined) return { tools: functions }
  return { tools: functions, tool_choice: { type: 'function' as const, function: { name: mustCall } } }
}

function toWire({ role, text, images = [], calls = [], callId = '' }: ModelMessage): OpenAI.ChatCompletionMessageParam {
  if (role === 'tool') return { role, content: text, tool_call_id: callId }
  if (role === 'assistant' && calls.length > 0) {
    const wire = calls.map((call) => ({
      id: call.id,
      type: 'function' as const,
      function: { name: call.name, arguments: call.arguments },
    }))
    return { role, content: text === '' ? null : text, tool_calls: wire }
  }
  if (role !== 'user' || images.length === 0) return { role, content: text }
  const pictures = images.map(({ url, detail }) => ({
    type: 'image_url' as const,
    image_url: { url, detail: detail === 'low' ? ('low' as const) : ('high' as const) },
  }))
  return { role, content: [...pictures, { type: 'text', text }] }
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

/** The failure as the caller may read it: the operator's key and address stay out of it. */
function explain(error: unknown, apiKey: string | null, { tools = [] }: ModelRequest): RunFailure {
  if (!(error instanceof APIError) || error.status === undefined) {
    const { cause } = error instanceof Error ? error : {}
    if (cause instanceof EgressFailure) {
      return { code: 'completion_request_error', message: `The model could not be reached: ${cause.message}` }
    }
    return { code: 'completion_request_error', message: 'The model could not be reached.' }
  }
  const detail = detailOf(error, apiKey)
  if (error.status === 401 || error.status === 403) {
    return { code: 'provider_not_initialize', message: "The model refused the server's credentials." }
  }
  if (error.status === 402 || error.code === 'insufficient_quota') {
    return { code: 'provider_quota_exceeded', message: "The model's quota is used up." }
  }
  if (tools.length > 0 && TOOLS_REFUSED.includes(error.status) && /tool|function/i.test(detail)) {
    return { code: 'model_currently_not_support', message: `The model takes no tools${detail}` }
  }
  if (error.status === 404)
    return { code: 'model_currently_not_support', message: `The model is not available${detail}` }
  if (error.status === 429) {
    return { code: 'rate_limit_error', message: 'The model is busy.', retryAfterMs: retryAfterMs(error.headers) }
  }
  return { code: 'completion_request_error', message: `The model answered with status ${error.status}${detail}` }
}

function detailOf(error: APIError, apiKey: string | null): string {
  const body: unknown = error.error
  const said = typeof body === 'object' && body !== null && 'message' in body ? body.message : null
  if (typeof said !== 'string' || said === '') return '.'
  const safe = apiKey === null || apiKey === '' ? said : said.replaceAll(apiKey, '***')
  return `: ${safe.slice(0, MAX_DETAIL)}`
}

/** RFC 9110 §10.2.3; a date is not worth reading for a hint. */
function retryAfterMs(headers: Headers | undefined): number {
  const seconds = Number(headers?.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds * 1000) : DEFAULT_RETRY_AFTER_MS
}
