import type { Json, JsonObject } from '#domain/app.ts'
import { isList, isObject, objectAt, objectsAt, textAt } from '#domain/json.ts'

/** A tool as an app file names it. */
export type ToolWords = {
  readonly provider: string
  /** Some files name the provider of a tool by an id, others by name; a binding may know either. */
  readonly providerId: string
  readonly name: string
  readonly label: string
  readonly description: string
  /** The parameters that the file describes, as a JSON schema. */
  readonly parameters: JsonObject
}

/** Reads a tool out of a tool node, the list of an agent node, or that of an agent app. */
export function toolWords(entry: JsonObject): ToolWords {
  const provider = textAt(entry, 'provider_name') || textAt(entry, 'provider_id') || textAt(entry, 'provider')
  const listed = objectsAt(entry, 'schemas')
  const schemas = listed.length > 0 ? listed : objectsAt(entry, 'paramSchemas')
  return {
    provider,
    providerId: textAt(entry, 'provider_id') || provider,
    name: textAt(entry, 'tool_name'),
    label: textAt(entry, 'tool_label') || textAt(entry, 'tool_name'),
    description:
      textAt(objectAt(entry, 'extra'), 'description') ||
      textAt(entry, 'tool_description') ||
      textAt(entry, 'tool_label') ||
      textAt(entry, 'tool_name'),
    parameters: schemas.length > 0 ? schemaOfRows(schemas) : schemaOfNames(entry),
  }
}

function schemaOfRows(rows: readonly JsonObject[]): JsonObject {
  const known = rows.filter((row) => textAt(row, 'name') !== '')
  return {
    type: 'object',
    properties: Object.fromEntries(known.map((row) => [textAt(row, 'name'), schemaOfRow(row)])),
    required: known.filter((row) => row.required === true).map((row) => textAt(row, 'name')),
  }
}

function schemaOfRow(row: JsonObject): JsonObject {
  const human = row.human_description ?? null
  const description =
    textAt(row, 'llm_description') || (isObject(human) ? textAt(human, 'en_US') : textAt(row, 'human_description'))
  const options = objectsAt(row, 'options').map((option): Json => option.value ?? null)
  return {
    ...typeOf(textAt(row, 'type')),
    ...(description === '' ? {} : { description }),
    ...(options.length > 0 && textAt(row, 'type') === 'select' ? { enum: options } : {}),
  }
}

function typeOf(type: string): JsonObject {
  switch (type) {
    case 'number':
    case 'boolean':
    case 'object':
      return { type }
    case 'array':
      return { type: 'array', items: {} }
    case 'files':
      return { type: 'array', items: { type: 'object' } }
    case 'file':
      return { type: 'object' }
    default:
      return { type: 'string' }
  }
}

/** Without a description all that is known is what the parameters are called. */
function schemaOfNames(entry: JsonObject): JsonObject {
  const given = [entry.parameters, entry.tool_parameters].find((one) => isObject(one) && !isList(one))
  const properties = Object.keys(isObject(given) ? given : {}).map((name) => [name, { type: 'string' }] as const)
  return { type: 'object', properties: Object.fromEntries(properties), required: [] }
}
