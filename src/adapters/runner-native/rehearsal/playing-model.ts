import type { Json, JsonObject } from '#domain/app.ts'
import { isList, isObject, objectAt, textAt } from '#domain/json.ts'
import type { ModelClient, ModelMessage, ModelRequest, ToolCall } from '../models/model-client.ts'
import { parseJson } from '../parse-json.ts'
import { sampleOfSchema, sampleOfType } from './sample-json.ts'
import type { Script } from './script.ts'

const EXACTLY = 'Reply exactly: '
const OFFERED = 'You can use these tools:\n'

/** A model that says its lines: what it is asked for in a form that can be read, else the script's answer. */
export function createPlayingModel(script: Script): ModelClient {
  return {
    canRun: () => true,
    async *stream(request) {
      const call = callFor(request, script)
      const said = call === null ? spoken(request, script) : call.arguments
      yield call === null ? { kind: 'text', delta: said } : { kind: 'call', call }
      yield { kind: 'finish', reason: call === null ? 'stop' : 'tool_calls' }
      const promptTokens = request.messages.reduce((sum, { text }) => sum + lengthIn(text), 0)
      const completionTokens = lengthIn(said)
      yield { kind: 'usage', usage: { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens } }
    },
  }
}

/** One call of the first tool that is offered, or of the one that has to be; the answer to it ends the calling. */
function callFor({ tools = [], mustCall, messages }: ModelRequest, script: Script): ToolCall | null {
  const tool = tools.find(({ name }) => name === mustCall) ?? tools[0]
  if (tool === undefined || messages.some(({ role }) => role === 'tool')) return null
  return { id: 'call-1', name: tool.name, arguments: JSON.stringify(sampleOfSchema(tool.parameters, script)) }
}

function spoken(request: ModelRequest, script: Script): string {
  return reasoned(request, script) ?? formal(request, script) ?? exactly(request.messages) ?? script.answer
}

/** The same in words, for an agent whose model is told its tools in the prompt (ReAct). */
function reasoned({ messages }: ModelRequest, script: Script): string | null {
  const system = messages.find(({ role }) => role === 'system')?.text ?? ''
  const at = system.indexOf(OFFERED)
  if (at < 0) return null
  const offers = parseJson(system.slice(at + OFFERED.length).split('\n')[0] ?? '')
  const [tool] = isList(offers) ? offers.filter(isObject) : []
  if (tool === undefined || messages.some(({ text }) => text.startsWith('Observation:'))) {
    return `Thought: I know enough.\nFinal Answer: ${script.answer}`
  }
  const action_input = sampleOfSchema(objectAt(tool, 'parameters'), script)
  const action = JSON.stringify({ action: textAt(tool, 'name'), action_input })
  return `Thought: I look it up.\nAction:\n\`\`\`json\n${action}\n\`\`\``
}

/** The answer to a request that says what form it takes: a schema, parameters to extract, categories. */
function formal({ messages, params }: ModelRequest, script: Script): string | null {
  const format = objectAt(params, 'response_format')
  const schema = objectAt(objectAt(format, 'json_schema'), 'schema')
  if (Object.keys(schema).length > 0) return JSON.stringify(sampleOfSchema(schema, script))
  const system = messages.find(({ role }) => role === 'system')?.text ?? ''
  for (const line of system.split('\n')) {
    const value = /^\s*[[{]/.test(line) ? parseJson(line) : undefined
    const answer = value === undefined ? null : answerTo(value, system, script)
    if (answer !== null) return JSON.stringify(answer)
  }
  return null
}

function answerTo(value: Json, system: string, script: Script): Json {
  if (isObject(value)) return system.includes('JSON schema') ? sampleOfSchema(value, script) : null
  if (!isList(value)) return null
  const [first] = value
  if (isObject(first) && 'category_id' in first) return first
  const parameters = value.filter(isObject).filter((one) => 'name' in one && 'type' in one)
  if (parameters.length === 0 || !system.includes('Extract these parameters')) return null
  return Object.fromEntries(parameters.map((one: JsonObject) => [textAt(one, 'name'), sampleOfType(one, script)]))
}

function exactly(messages: readonly ModelMessage[]): string | null {
  const text = messages.findLast((one) => one.text.includes(EXACTLY))?.text
  if (text === undefined) return null
  return (text.slice(text.lastIndexOf(EXACTLY) + EXACTLY.length).split('\n')[0] ?? '').trimEnd()
}

function lengthIn(text: string): number {
  return text.match(/\S+/g)?.length ?? 0
}
