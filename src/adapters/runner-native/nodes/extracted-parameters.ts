import type { Json, JsonObject } from '#domain/app.ts'
import { isList, isObject } from '#domain/json.ts'
import { parseJson } from '../parse-json.ts'
import { fitsType, itemType, zeroOf } from './variable-types.ts'

/** One value to be found in a text. */
export type Parameter = {
  readonly name: string
  readonly type: string
  readonly description: string
  readonly isRequired: boolean
  readonly options: readonly string[]
}

/** What was found, complete and of the declared types; `reason` says what is wrong with it. */
export function extracted(
  parameters: readonly Parameter[],
  said: Json | undefined,
): { readonly values: JsonObject; readonly reason: string | null } {
  const values: Record<string, Json> = {}
  const missing: string[] = []
  for (const parameter of parameters) {
    const raw = isObject(said) && Object.hasOwn(said, parameter.name) ? (said[parameter.name] ?? null) : null
    const value = read(parameter, raw)
    if (value === null && parameter.isRequired) missing.push(parameter.name)
    Object.defineProperty(values, parameter.name, {
      value: value ?? (parameter.type === 'select' ? '' : zeroOf(typeOf(parameter), null)),
      enumerable: true,
    })
  }
  if (!isObject(said)) return { values, reason: 'the model did not answer with a JSON object' }
  return { values, reason: missing.length === 0 ? null : `not found: ${missing.join(', ')}` }
}

/** The value as its declared type; null when it cannot be one. Models often write numbers and lists as text. */
function read(parameter: Parameter, raw: Json): Json {
  if (raw === null) return null
  const type = typeOf(parameter)
  if (parameter.type === 'select') return parameter.options.find((option) => option === String(raw)) ?? null
  if (itemType(type) !== null) {
    const list = isList(raw) ? raw : parsed(raw)
    return isList(list) && fitsType(type, list) ? list : null
  }
  if (type === 'number') {
    const number = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw
    return typeof number === 'number' && Number.isFinite(number) ? number : null
  }
  if (type === 'boolean') {
    const word = String(raw).trim().toLowerCase()
    return word === 'true' || word === '1' ? true : word === 'false' || word === '0' ? false : null
  }
  if (type === 'string') return typeof raw === 'object' ? JSON.stringify(raw) : String(raw)
  return fitsType(type, raw) ? raw : null
}

/** What a parameter may be, as a JSON schema. */
export function schemaOf(parameter: Parameter): JsonObject {
  const { description, options } = parameter
  const type = typeOf(parameter)
  const item = itemType(type)
  const said = description === '' ? {} : { description }
  if (parameter.type === 'select') return { type: 'string', enum: options, ...said }
  if (item !== null) return { type: 'array', items: item === 'any' ? {} : { type: item }, ...said }
  return { type: ['number', 'boolean', 'object'].includes(type) ? type : 'string', ...said }
}

/** Older files say `bool`. */
function typeOf({ type }: Parameter): string {
  return type === 'bool' ? 'boolean' : type
}

function parsed(raw: Json): Json {
  return typeof raw === 'string' ? (parseJson(raw) ?? null) : null
}
