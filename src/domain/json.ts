import type { Json, JsonObject } from './app.ts'

/** The JSON that `text` is; undefined when it is none. */
export function jsonIn(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Whether `value` is a JSON object: imported definitions hold anything anywhere. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object under `key`, or an empty one. */
export function objectAt(parent: JsonObject, key: string): JsonObject {
  const value = parent[key]
  return isObject(value) ? value : {}
}

/** The list under `key`, or an empty one. */
export function listAt(parent: JsonObject, key: string): readonly Json[] {
  const value = parent[key]
  return isList(value) ? value : []
}

/** The objects in the list under `key`; whatever else is in it is passed over. */
export function objectsAt(parent: JsonObject, key: string): readonly JsonObject[] {
  return listAt(parent, key).filter(isObject)
}

/** The string under `key`, or "". */
export function textAt(parent: JsonObject, key: string): string {
  const value = parent[key]
  return typeof value === 'string' ? value : ''
}

/** The strings in the list under `key`; numbers are read as their digits, as YAML keys and ids often are. */
export function textsAt(parent: JsonObject, key: string): readonly string[] {
  return listAt(parent, key).flatMap((item) =>
    typeof item === 'string' || typeof item === 'number' ? [String(item)] : [],
  )
}

/** The finite number under `key`, also when written as digits, or null. */
export function numberAt(parent: JsonObject, key: string): number | null {
  const value = parent[key]
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value !== 'string' || value.trim() === '') return null
  const number = Number(value)
  return Number.isFinite(number) ? number : null
}

/** Whether `value` is a JSON list; `Array.isArray` alone forgets what a readonly list holds. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}
