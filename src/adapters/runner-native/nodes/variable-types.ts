import type { Json } from '#domain/app.ts'
import { isList, isObject } from '#domain/json.ts'

/** Whether a value may be kept in a variable that was declared as `type`; null always may, unknown types take all. */
export function fitsType(type: string, value: Json): boolean {
  if (value === null) return true
  const item = itemType(type)
  if (item !== null) return isList(value) && value.every((one) => fitsType(item, one))
  switch (type) {
    case 'string':
    case 'secret':
      return typeof value === 'string'
    case 'number':
    case 'float':
      return typeof value === 'number'
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value)
    case 'boolean':
      return typeof value === 'boolean'
    case 'object':
      return isObject(value)
    default:
      return true
  }
}

/** What a list type holds; null when the type is no list. */
export function itemType(type: string): string | null {
  return /^array\[([\w-]+)\]$/.exec(type)?.[1] ?? (type === 'array' ? 'any' : null)
}

/** What a cleared variable holds; without a declaration the value it had decides. */
export function zeroOf(type: string, current: Json): Json {
  if (itemType(type) !== null) return []
  switch (type) {
    case 'string':
      return ''
    case 'number':
    case 'float':
    case 'integer':
      return 0
    case 'boolean':
      return false
    case 'object':
      return {}
    default:
      return type === '' && current !== null ? zeroOf(typeNameOf(current), null) : null
  }
}

function typeNameOf(value: Json): string {
  return isList(value) ? 'array' : typeof value
}
