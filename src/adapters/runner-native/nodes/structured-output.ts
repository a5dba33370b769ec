import type { Json, JsonObject } from '#domain/app.ts'
import { isObject, objectAt } from '#domain/json.ts'
import type { ModelMessage } from '../models/model-client.ts'
import { saidJson } from '../models/said-json.ts'
import { schemaFault } from '../models/schema-fault.ts'
import { parseJson } from '../parse-json.ts'
import { NodeFailure } from './node-executor.ts'

/** The schema that a node's answer must fit, or null when it may say what it likes. */
export function schemaOf(data: JsonObject): JsonObject | null {
  const settings = objectAt(data, 'structured_output')
  const isOn = data.structured_output_enabled === true || settings.enabled === true
  if (!isOn) return null
  const schema = parsed(settings.schema ?? null)
  return isObject(schema) ? schema : {}
}

/** The messages with the wish for JSON said in words, which every model understands. */
export function askingFor(schema: JsonObject, messages: readonly ModelMessage[]): readonly ModelMessage[] {
  const wish = `Answer with one JSON value and nothing else. It must fit this JSON schema:\n${JSON.stringify(schema)}`
  const [first, ...others] = messages
  if (first?.role === 'system') return [{ ...first, text: `${first.text}\n\n${wish}` }, ...others]
  return [{ role: 'system', text: wish }, ...messages]
}

/**
 * The JSON that a model said.
 * @throws NodeFailure when there is none, or it does not fit
 */
export function structured(schema: JsonObject, answer: string): Json {
  const value = saidJson(answer)
  if (value === undefined) throw new NodeFailure('OutputParserError', 'the model did not answer with JSON')
  const fault = schemaFault(schema, value)
  if (fault !== null) throw new NodeFailure('OutputParserError', `the model's answer does not fit: ${fault}`)
  return value
}

/** Some files keep the schema as text. */
function parsed(schema: Json): Json {
  return typeof schema === 'string' ? (parseJson(schema) ?? null) : schema
}
