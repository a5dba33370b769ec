import type OpenAI from 'openai'
import type { Json, JsonObject } from '#domain/app.ts'
import { jsonIn } from '#domain/json.ts'
import type { ModelMessage, ModelRequest } from './model-client.ts'

/**
 * The request as the chat completions protocol has it, streamed and with its usage; `format` is the answer's, and null
 * leaves what the app wrote.
 */
export function completionRequest(model: string, request: ModelRequest, format: JsonObject | null) {
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
  const read = typeof schema === 'string' ? jsonIn(schema) : schema
  // The endpoint explains best what it does not understand.
  return read === undefined ? schema : read
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
