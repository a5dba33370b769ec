import type { Json, JsonObject } from '#domain/app.ts'
import { isList, isObject, objectAt, textsAt } from '#domain/json.ts'

/**
 * Where a value does not fit a JSON schema, or null. Knows what the editors of apps write: type, properties, required,
 * additionalProperties, items and enum; other keywords count as met. Interpreted, because compiling a foreign schema
 * would run code made from it.
 */
export function schemaFault(schema: JsonObject, value: Json, path = ''): string | null {
  const at = path === '' ? 'the value' : path
  const types = typeof schema.type === 'string' ? [schema.type] : textsAt(schema, 'type')
  if (types.length > 0 && !types.some((type) => isOfType(type, value)))
    return `${at} is not of type ${types.join(' or ')}`
  if (isList(schema.enum) && !schema.enum.some((one) => JSON.stringify(one) === JSON.stringify(value))) {
    return `${at} is none of the allowed values`
  }
  if (isList(value))
    return firstFault(value.map((item, index) => [objectAt(schema, 'items'), item, `${path}[${index}]`]))
  return isObject(value) ? objectFault(schema, value, path) : null
}

function objectFault(schema: JsonObject, value: JsonObject, path: string): string | null {
  const properties = objectAt(schema, 'properties')
  const inner = (name: string) => (path === '' ? name : `${path}.${name}`)
  const missing = textsAt(schema, 'required').find((name) => !Object.hasOwn(value, name))
  if (missing !== undefined) return `${inner(missing)} is missing`
  const extra = Object.keys(value).find((name) => !Object.hasOwn(properties, name))
  if (schema.additionalProperties === false && extra !== undefined) return `${inner(extra)} is not asked for`
  return firstFault(
    Object.entries(value)
      .filter(([name]) => Object.hasOwn(properties, name))
      .map(([name, item]) => [objectAt(properties, name), item, inner(name)]),
  )
}

function firstFault(parts: readonly (readonly [schema: JsonObject, value: Json, path: string])[]): string | null {
  for (const part of parts) {
    const fault = schemaFault(...part)
    if (fault !== null) return fault
  }
  return null
}

function isOfType(type: string, value: Json): boolean {
  switch (type) {
    case 'object':
      return isObject(value)
    case 'array':
      return isList(value)
    case 'integer':
      return Number.isInteger(value)
    case 'null':
      return value === null
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type
    default:
      return true
  }
}
