import type { Json, JsonObject } from '#domain/app.ts'
import { isList, isObject, listAt, objectAt, objectsAt, textAt, textsAt } from '#domain/json.ts'
import { fillTemplate, isFile, resolve, type VariablePool } from '../graph/variable-pool.ts'
import { ComparisonFault, compare } from './comparison.ts'

/**
 * Whether the conditions of a case hold, all or any as it says; without conditions they do not.
 * @throws ComparisonFault when a variable is missing, or two values cannot be compared
 */
export function holds(pool: VariablePool, body: JsonObject): boolean {
  const conditions = objectsAt(body, 'conditions')
  if (conditions.length === 0) return false
  const test = (condition: JsonObject) => isMet(pool, condition)
  return textAt(body, 'logical_operator') === 'or' ? conditions.some(test) : conditions.every(test)
}

function isMet(pool: VariablePool, condition: JsonObject): boolean {
  const selector = textsAt(condition, 'variable_selector')
  const actual = resolve(pool, selector)
  if (actual === undefined) throw new ComparisonFault(`variable ${selector.join('.').slice(0, 100)} does not exist`)
  const operator = textAt(condition, 'comparison_operator')
  const nested = objectAt(condition, 'sub_variable_condition')
  if (isList(actual) && listAt(nested, 'conditions').length > 0) return filesMeet(pool, operator, actual, nested)
  return compare(operator, actual, expectedOf(pool, condition))
}

function expectedOf(pool: VariablePool, condition: JsonObject): Json {
  const value = condition.value ?? null
  if (typeof value === 'string') return fillTemplate(pool, value)
  if (isList(value)) return value.map((item) => (typeof item === 'string' ? fillTemplate(pool, item) : item))
  return value
}

/** "contains" asks for any file that fits, "not contains" for none, "all of" for every one. */
function filesMeet(pool: VariablePool, operator: string, files: readonly Json[], nested: JsonObject): boolean {
  const conditions = objectsAt(nested, 'conditions')
  const fits = (file: Json): boolean => {
    if (!isObject(file) || !isFile(file)) return false
    const test = (condition: JsonObject) => {
      const key = textAt(condition, 'key')
      const expected = expectedOf(pool, condition)
      return compare(
        textAt(condition, 'comparison_operator'),
        file[key] ?? null,
        key === 'extension' ? dotted(expected) : expected,
      )
    }
    return textAt(nested, 'logical_operator') === 'or' ? conditions.some(test) : conditions.every(test)
  }
  if (operator === 'contains') return files.some(fits)
  if (operator === 'not contains') return !files.some(fits)
  if (operator === 'all of') return files.every(fits)
  throw new ComparisonFault(`"${operator.slice(0, 40)}" does not compare lists of files`)
}

/** Authors write `pdf` and `.pdf` alike. */
function dotted(expected: Json): Json {
  if (isList(expected)) return expected.map(dotted)
  return typeof expected !== 'string' || expected === '' || expected.startsWith('.') ? expected : `.${expected}`
}
