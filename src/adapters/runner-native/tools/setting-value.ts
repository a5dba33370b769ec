import type { Json } from '#domain/app.ts'
import { isObject, listAt, textAt, textsAt } from '#domain/json.ts'
import { takenIn } from '../graph/meter.ts'
import { fillTemplate, resolve, type VariablePool } from '../graph/variable-pool.ts'

/**
 * What an app's author set, with variables filled in. Newer files say how to read it, `{type: constant | variable |
 * mixed, value}`; older ones hold the value itself.
 */
export function settingValue(raw: Json | undefined, pool: VariablePool): Json {
  if (typeof raw === 'string') return fillTemplate(pool, raw)
  if (!isObject(raw) || !('value' in raw)) return raw ?? null
  if (textAt(raw, 'type') === 'variable' && listAt(raw, 'value').length > 0) {
    return takenIn(pool, resolve(pool, textsAt(raw, 'value')) ?? null)
  }
  // `{auto: 0, value: {type, value}}`, as agents have it, holds one in the other.
  return settingValue(raw.value, pool)
}
