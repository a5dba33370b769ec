import type { Json, JsonObject } from '#domain/app.ts'
import { isList, isObject, numberAt, objectAt, objectsAt, textAt, textsAt } from '#domain/json.ts'
import { fillTemplate, isFile, resolve, textOf, type VariablePool } from '../graph/variable-pool.ts'
import { ComparisonFault, comparer } from './comparison.ts'
import { type NodeExecutor, NodeFailure } from './node-executor.ts'

/** Filters a list, takes one of what is left, orders it and cuts it: each only where the node asks for it. */
export const listOperator: NodeExecutor = {
  run: async ({ node: { data }, pool }) => {
    const list = resolve(pool, textsAt(data, 'variable'))
    if (!isList(list)) throw new NodeFailure('ListOperatorError', 'the variable is no list')
    const inputs = { variable: list }
    try {
      let result = filtered(pool, objectAt(data, 'filter_by'), list)
      result = extracted(pool, objectAt(data, 'extract_by'), result)
      result = ordered(objectAt(data, 'order_by'), result)
      result = limited(objectAt(data, 'limit'), result)
      return { inputs, outputs: { result, first_record: result[0] ?? null, last_record: result.at(-1) ?? null } }
    } catch (error) {
      if (error instanceof ComparisonFault) throw new NodeFailure('ListOperatorError', error.message, { inputs })
      throw error
    }
  },
}

function filtered(pool: VariablePool, settings: JsonObject, list: readonly Json[]): readonly Json[] {
  if (settings.enabled !== true) return list
  const tests = objectsAt(settings, 'conditions').map((condition) => {
    const value = condition.value ?? null
    const expected = isList(value) ? value.map((one) => filled(pool, one)) : filled(pool, value)
    const test = comparer(textAt(condition, 'comparison_operator'), expected, list.length)
    const key = textAt(condition, 'key')
    return (item: Json) => test(part(item, key))
  })
  return list.filter((item) => tests.every((test) => test(item)))
}

function filled(pool: VariablePool, value: Json): Json {
  return typeof value === 'string' ? fillTemplate(pool, value) : value
}

function extracted(pool: VariablePool, settings: JsonObject, list: readonly Json[]): readonly Json[] {
  if (settings.enabled !== true) return list
  const serial = Number(fillTemplate(pool, textOf(settings.serial ?? null)) || Number.NaN)
  if (!Number.isInteger(serial) || serial < 1 || serial > list.length) {
    throw new NodeFailure('ListOperatorError', `there is no item with this number among ${list.length}`)
  }
  return list.slice(serial - 1, serial)
}

function ordered(settings: JsonObject, list: readonly Json[]): readonly Json[] {
  if (settings.enabled !== true) return list
  const key = textAt(settings, 'key')
  const sign = textAt(settings, 'value').toLowerCase() === 'desc' ? -1 : 1
  return list.toSorted((left, right) => sign * ranked(part(left, key), part(right, key)))
}

/** Numbers by size, everything else by code unit, so that the order is the same on every machine. */
function ranked(left: Json, right: Json): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  const [a, b] = [textOf(left), textOf(right)]
  return a < b ? -1 : a > b ? 1 : 0
}

function limited(settings: JsonObject, list: readonly Json[]): readonly Json[] {
  return settings.enabled === true ? list.slice(0, Math.max(0, Math.floor(numberAt(settings, 'size') ?? 0))) : list
}

/** An attribute of a file; any other item is meant as a whole. */
function part(item: Json, key: string): Json {
  if (key === '' || !isObject(item)) return item
  if (key === 'extension' && isFile(item)) return textOf(item.extension).replace(/^(?=[^.])/, '.')
  return Object.hasOwn(item, key) ? (item[key] ?? null) : null
}
