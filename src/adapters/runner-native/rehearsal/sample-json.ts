import type { Json, JsonObject } from '#domain/app.ts'
import { isList, isObject, objectAt, textAt, textsAt } from '#domain/json.ts'
import type { Script } from './script.ts'

const MAX_DEPTH = 12

/** A value that fits a JSON schema as far as editors of apps write them; the same one every time. */
export function sampleOfSchema(schema: JsonObject, script: Script, depth = 0): Json {
  const [option] = isList(schema.enum) ? schema.enum : []
  if (option !== undefined) return option
  if ('const' in schema) return schema.const ?? null
  const type = typeof schema.type === 'string' ? schema.type : textsAt(schema, 'type').find((one) => one !== 'null')
  switch (type ?? ('properties' in schema ? 'object' : 'string')) {
    case 'object':
      return depth > MAX_DEPTH ? {} : sampleOfObject(schema, script, depth)
    case 'array':
      return depth > MAX_DEPTH ? [] : [sampleOfSchema(objectAt(schema, 'items'), script, depth + 1)]
    case 'number':
    case 'integer':
      return typeof schema.minimum === 'number' ? Math.ceil(schema.minimum) : 1
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return script.phrase
  }
}

/** A value of a type as nodes declare parameters: string, number, bool, array[string] … */
export function sampleOfType(parameter: JsonObject, script: Script): Json {
  const [option] = textsAt(parameter, 'options')
  if (option !== undefined) return option
  const type = textAt(parameter, 'type')
  const item = /^array(?:\[(\w+)\])?$/.exec(type)
  if (item !== null) return [sampleOfType({ type: item[1] ?? 'string' }, script)]
  if (type === 'number' || type === 'integer') return 1
  if (type === 'bool' || type === 'boolean') return true
  return type === 'object' ? openObject(script) : script.phrase
}

function sampleOfObject(schema: JsonObject, script: Script, depth: number): JsonObject {
  const properties = Object.entries(objectAt(schema, 'properties'))
  if (properties.length === 0 && schema.additionalProperties !== false) return openObject(script)
  return Object.fromEntries(
    properties.map(([name, inner]) => [name, isObject(inner) ? sampleOfSchema(inner, script, depth + 1) : null]),
  )
}

/** An object of which nobody says what is in it. */
function openObject({ body }: Script): JsonObject {
  const [first] = isList(body) ? body : [body]
  return isObject(first) ? first : {}
}
