import type { Json } from '#domain/app.ts'
import { isList, isObject, jsonIn } from '#domain/json.ts'

/** Why a comparison cannot be made: the app's author mixed up kinds. */
export class ComparisonFault extends Error {
  override readonly name = 'ComparisonFault'
}

type Compare = (actual: Json, expected: Json) => boolean

/** Every operator an if-else condition may use. */
export const operators = {
  contains: (actual, expected) => has(actual, expected),
  'not contains': (actual, expected) => !has(actual, expected),
  'start with': (actual, expected) => isFull(actual) && plain(actual).startsWith(plain(expected)),
  'end with': (actual, expected) => isFull(actual) && plain(actual).endsWith(plain(expected)),
  is: (actual, expected) => actual !== null && same(actual, expected),
  'is not': (actual, expected) => actual !== null && !same(actual, expected),
  empty: (actual) => !isFull(actual),
  'not empty': (actual) => isFull(actual),
  in: (actual, expected) => isFull(actual) && isAmong(actual, listed(expected)),
  'not in': (actual, expected) => !isFull(actual) || !isAmong(actual, listed(expected)),
  'all of': (actual, expected) => isFull(actual) && hasAll(actual, listed(expected)),
  '=': (actual, expected) => actual !== null && number(actual) === number(expected),
  '≠': (actual, expected) => actual !== null && number(actual) !== number(expected),
  '>': (actual, expected) => actual !== null && number(actual) > number(expected),
  '<': (actual, expected) => actual !== null && number(actual) < number(expected),
  '≥': (actual, expected) => actual !== null && number(actual) >= number(expected),
  '≤': (actual, expected) => actual !== null && number(actual) <= number(expected),
  null: (actual) => actual === null,
  'not null': (actual) => actual !== null,
  exists: (actual) => actual !== null,
  'not exists': (actual) => actual === null,
} as const satisfies Record<string, Compare>

/**
 * Compares by the operator's name.
 * @throws ComparisonFault when there is no such operator, or a number was needed and there is none
 */
export function compare(operator: string, actual: Json, expected: Json): boolean {
  const known: Readonly<Record<string, Compare>> = operators
  const operation = Object.hasOwn(known, operator) ? known[operator] : undefined
  if (operation === undefined) throw new ComparisonFault(`unknown comparison "${operator.slice(0, 40)}"`)
  return operation(actual, expected)
}

function isFull(value: Json): boolean {
  if (isList(value)) return value.length > 0
  if (isObject(value)) return Object.keys(value).length > 0
  return Boolean(value)
}

function has(actual: Json, expected: Json): boolean {
  if (!isFull(actual)) return false
  if (isList(actual)) return actual.some((item) => same(item, expected))
  return plain(actual).includes(plain(expected))
}

/** Of a list by a list, of a text by words: what an app file and a caller multiply takes everybody's time. */
const MAX_PAIRS = 10_000_000
const MAX_SCANNED = 1_000_000_000

function hasAll(actual: Json, wanted: readonly Json[]): boolean {
  const isLong = isList(actual)
    ? actual.length * wanted.length > MAX_PAIRS
    : plain(actual).length * wanted.length > MAX_SCANNED
  if (isLong) throw new ComparisonFault('there is too much to compare')
  return wanted.every((one) => has(actual, one))
}

function isAmong(actual: Json, list: readonly Json[]): boolean {
  if (typeof actual === 'boolean') return list.some((one) => same(actual, one))
  const text = plain(actual)
  return list.some((one) => plain(one) === text)
}

/** What people type is text: `true` and `3` in a condition equal the boolean and the number. */
function same(actual: Json, expected: Json): boolean {
  if (typeof actual === 'boolean') return String(actual) === plain(expected).toLowerCase() || bit(actual) === expected
  return plain(actual) === plain(expected)
}

function bit(value: boolean): string {
  return value ? '1' : '0'
}

function plain(value: Json): string {
  if (value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/**
 * Compares many values with one, by the operator's name.
 * @throws ComparisonFault as `compare`, and for more than there is time for
 */
export function comparer(operator: string, expected: Json, values: number): (actual: Json) => boolean {
  const isOneOf = operator === 'in' || operator === 'not in' || operator === 'all of'
  // Read once, not for each value.
  const wanted = isOneOf ? listed(expected) : expected
  if (values * (isList(wanted) ? wanted.length : 1) > MAX_PAIRS)
    throw new ComparisonFault('there is too much to compare')
  return (actual) => compare(operator, actual, wanted)
}

/** A list, its JSON, or names with commas between. */
function listed(expected: Json): readonly Json[] {
  if (isList(expected)) return expected
  const text = plain(expected)
  if (text.startsWith('[')) {
    const parsed = jsonIn(text)
    if (isList(parsed)) return parsed
  }
  return text.split(',').map((name) => name.trim())
}

function number(value: Json): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof read !== 'number' || Number.isNaN(read)) {
    throw new ComparisonFault('a number was expected on both sides of a comparison')
  }
  return read
}
