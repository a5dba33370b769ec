import type { Json, JsonObject } from '#domain/app.ts'
import { numberAt, objectsAt, textAt, textsAt } from '#domain/json.ts'
import { hasNode } from '../graph/graph.ts'
import type { ContainerExecutor } from '../graph/rounds.ts'
import { resolve, type VariablePool } from '../graph/variable-pool.ts'
import { parseJson } from '../parse-json.ts'
import { ComparisonFault } from './comparison.ts'
import { holds } from './conditions.ts'
import { NodeFailure } from './node-executor.ts'
import { itemType } from './variable-types.ts'

/** Repeats its insides until a condition holds; all rounds work on the same variables. */
export const loop: ContainerExecutor = {
  open: (node, pool, { loopRounds }) => {
    const { data } = node
    const asked = Math.floor(numberAt(data, 'loop_count') ?? loopRounds)
    const variables = Object.fromEntries(
      objectsAt(data, 'loop_variables').map((entry) => [textAt(entry, 'label'), initial(pool, entry)]),
    )
    const isDone = breaks(data, { ...pool, [node.id]: variables })
    return {
      plan: {
        kind: 'loop',
        rounds: isDone ? 0 : Math.min(Math.max(asked, 0), loopRounds),
        parallel: 1,
        onError: 'terminate',
      },
      inputs: { loop_count: asked, ...variables },
      shared: variables,
      items: [],
    }
  },
  // What a node said in the round before must not be taken for what it says in this one.
  enter: (_node, pool, _opened, _round, inner) =>
    Object.fromEntries(Object.entries(pool).filter(([id]) => !hasNode(inner, id))),
  resultOf: () => null,
  again: ({ data }, pool) => !breaks(data, pool),
  close: ({ id }, pool, results) => ({ ...pool[id], loop_round: results.length }),
}

function breaks(data: JsonObject, pool: VariablePool): boolean {
  const all = objectsAt(data, 'break_conditions')
  const operator = textAt(data, 'logical_operator')
  // Before the first round, nothing inside has said anything yet: that is no fault.
  const known = all.filter((condition) => resolve(pool, textsAt(condition, 'variable_selector')) !== undefined)
  if (operator !== 'or' && known.length < all.length) return false
  try {
    return holds(pool, { conditions: known, logical_operator: operator })
  } catch (error) {
    if (!(error instanceof ComparisonFault)) throw error
    throw new NodeFailure('LoopConditionError', error.message)
  }
}

function initial(pool: VariablePool, entry: JsonObject): Json {
  const value = entry.value ?? null
  if (textAt(entry, 'value_type') === 'variable') return resolve(pool, textsAt(entry, 'value')) ?? null
  return constant(textAt(entry, 'var_type'), value)
}

/** Constants are written as text, whatever their type. */
function constant(type: string, value: Json): Json {
  if (typeof value !== 'string') return value
  if (type === 'number') {
    const number = Number(value)
    if (value.trim() === '' || !Number.isFinite(number))
      throw new NodeFailure('LoopVariableError', `${value.slice(0, 40)} is no number`)
    return number
  }
  if (type === 'boolean') return value.toLowerCase() === 'true'
  if (type !== 'object' && itemType(type) === null) return value
  const json = parseJson(value || 'null')
  if (json === undefined) throw new NodeFailure('LoopVariableError', `a loop variable is no ${type}`)
  return json
}
