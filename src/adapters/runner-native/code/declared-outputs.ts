import type { Json, JsonObject } from '#domain/app.ts'
import { isList, isObject, objectAt, textAt } from '#domain/json.ts'
import type { RunLimits } from '../limits.ts'
import type { Ran } from './code-runner.ts'

/** 2^63, the first number that 64-bit readers cannot hold. */
const TOO_LARGE = 2 ** 63

type CodeLimits = Pick<RunLimits, 'codeChars' | 'codeItems' | 'codeDepth'>

/** Checks what a code node returned against the outputs that it declares: exactly those, of those types. */
export function declaredOutputs(data: JsonObject, returned: Json, limits: CodeLimits): Ran<JsonObject> {
  if (!isObject(returned)) return { ok: false, error: 'main must return an object' }
  const declared = Object.entries(objectAt(data, 'outputs'))
  const names = new Set(declared.map(([name]) => name))
  const extra = Object.keys(returned).find((name) => !names.has(name))
  if (extra !== undefined) return { ok: false, error: `output ${quoted(extra)} is not declared` }
  for (const [name, declaration] of declared) {
    if (!Object.hasOwn(returned, name)) return { ok: false, error: `output ${quoted(name)} is missing` }
    const type = isObject(declaration) ? textAt(declaration, 'type') : ''
    const fault = typeFault(type, returned[name] ?? null) ?? sizeFault(returned[name] ?? null, 1, limits)
    if (fault !== null) return { ok: false, error: `output ${quoted(name)} ${fault}` }
  }
  return { ok: true, value: returned }
}

function typeFault(type: string, value: Json): string | null {
  if (value === null) return null
  const item = /^array\[(\w+)\]$/.exec(type)?.[1]
  if (item === undefined && type !== 'array') return fits(type, value) ? null : `must be of type ${type}`
  if (!isList(value)) return `must be of type ${type}`
  const odd = item === undefined ? -1 : value.findIndex((one) => one !== null && !fits(item, one))
  return odd < 0 ? null : `must be of type ${type}; item ${odd} is not`
}

function fits(type: string, value: Json): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string'
    case 'number':
      return typeof value === 'number' || typeof value === 'boolean'
    case 'boolean':
      return typeof value === 'boolean'
    case 'object':
      return isObject(value)
    default:
      return true
  }
}

function sizeFault(value: Json, depth: number, limits: CodeLimits): string | null {
  const { codeChars, codeItems, codeDepth } = limits
  if (depth > codeDepth) return `is nested deeper than ${codeDepth} levels`
  if (typeof value === 'string') return value.length > codeChars ? `is longer than ${codeChars} characters` : null
  if (typeof value === 'number') return Math.abs(value) >= TOO_LARGE ? 'holds a number out of range' : null
  if (typeof value !== 'object' || value === null) return null
  if (isList(value) && value.length > codeItems) return `holds more than ${codeItems} items`
  for (const item of Object.values(value)) {
    const fault = sizeFault(item, depth + 1, limits)
    if (fault !== null) return fault
  }
  return null
}

function quoted(name: string): string {
  return `"${name.slice(0, 60)}"`
}
