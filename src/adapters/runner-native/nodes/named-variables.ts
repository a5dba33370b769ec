import type { Json, JsonObject } from '#domain/app.ts'
import { objectsAt, textAt, textsAt } from '#domain/json.ts'
import { takenIn } from '../graph/meter.ts'
import { resolve, type VariablePool } from '../graph/variable-pool.ts'

/** The values of a list `{variable, value_selector}`; null for what resolves to nothing. */
export function namedVariables(pool: VariablePool, data: JsonObject, key: string): JsonObject {
  return Object.fromEntries(
    objectsAt(data, key).map((entry): [string, Json] => [
      textAt(entry, 'variable'),
      takenIn(pool, resolve(pool, textsAt(entry, 'value_selector')) ?? null),
    ]),
  )
}
