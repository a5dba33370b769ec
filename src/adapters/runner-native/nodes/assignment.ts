import type { Json } from '#domain/app.ts'
import { isList } from '#domain/json.ts'
import { parseJson } from '../parse-json.ts'
import { NodeFailure } from './node-executor.ts'
import { fitsType, itemType, zeroOf } from './variable-types.ts'

/**
 * What a variable of a declared type ("" when it has none) holds after an operation.
 * @throws NodeFailure when the operation, the variable and the input do not go together
 */
export function operate(operation: string, type: string, current: Json, input: () => Json): Json {
  switch (operation) {
    case 'clear':
      return zeroOf(type, current)
    case 'over-write':
    case 'set':
      return checked(operation, type, fromText(type, input()))
    case 'append':
      return checked(operation, type, [...listOf(operation, current), input()])
    case 'extend':
      return checked(operation, type, [...listOf(operation, current), ...listOf(operation, input())])
    case 'remove-first':
      return listOf(operation, current).slice(1)
    case 'remove-last':
      return listOf(operation, current).slice(0, -1)
    case '+=':
    case '-=':
    case '*=':
    case '/=':
      return checked(operation, type, calculated(operation, numberOf(current), numberOf(input())))
    default:
      return refuse(`unknown operation "${operation.slice(0, 40)}"`)
  }
}

function calculated(operation: '+=' | '-=' | '*=' | '/=', left: number, right: number): number {
  if (operation === '/=' && right === 0) return refuse('a number cannot be divided by zero')
  const result = { '+=': left + right, '-=': left - right, '*=': left * right, '/=': left / right }[operation]
  // JSON has no infinity: it would become null.
  return Number.isFinite(result) ? result : refuse('the result is out of range')
}

/** Constants for objects and lists are written as JSON text. */
function fromText(type: string, value: Json): Json {
  if (typeof value !== 'string' || (type !== 'object' && itemType(type) === null)) return value
  return parseJson(value) ?? refuse(`the value is no ${type}`)
}

function checked(operation: string, type: string, value: Json): Json {
  return fitsType(type, value) ? value : refuse(`${operation} would put another value than ${type} into the variable`)
}

function listOf(operation: string, value: Json): readonly Json[] {
  if (value === null) return []
  return isList(value) ? value : refuse(`${operation} needs a list`)
}

function numberOf(value: Json): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : refuse('a number was expected')
}

function refuse(message: string): never {
  throw new NodeFailure('VariableOperatorNodeError', message)
}
