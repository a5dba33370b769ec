import type { Json, JsonObject } from '#domain/app.ts'
import { isList, numberAt, textAt, textsAt } from '#domain/json.ts'
import type { ContainerExecutor, RoundResult } from '../graph/rounds.ts'
import { resolve } from '../graph/variable-pool.ts'
import { NodeFailure } from './node-executor.ts'

const MAX_PARALLEL_ROUNDS = 10

/** Repeats its insides for every item of a list; each round has variables of its own. */
export const iteration: ContainerExecutor = {
  open: ({ data }, pool, { iterationItems }) => {
    const selector = textsAt(data, 'iterator_selector')
    const list = resolve(pool, selector)
    if (list === undefined)
      throw new NodeFailure('IteratorVariableNotFoundError', 'the list to repeat for does not exist')
    if (list !== null && !isList(list))
      throw new NodeFailure('InvalidIteratorValueError', 'what to repeat for is no list')
    const items = list ?? []
    const inputs = { iterator_selector: items }
    if (items.length > iterationItems) {
      throw new NodeFailure('InvalidIteratorValueError', `the list has more than ${iterationItems} items`)
    }
    const isParallel = data.is_parallel === true
    const parallel = Math.min(Math.floor(numberAt(data, 'parallel_nums') ?? MAX_PARALLEL_ROUNDS), MAX_PARALLEL_ROUNDS)
    const plan = {
      kind: 'iteration' as const,
      rounds: items.length,
      parallel: isParallel ? Math.max(1, parallel) : 1,
      onError: errorMode(data) === 'terminated' ? ('terminate' as const) : ('continue' as const),
    }
    return { plan, inputs, shared: null, items }
  },
  enter: ({ id }, pool, { items }, round) => ({ ...pool, [id]: { item: items[round] ?? null, index: round } }),
  resultOf: ({ data }, pool) => resolve(pool, textsAt(data, 'output_selector')) ?? null,
  again: () => true,
  close: ({ data }, _pool, results) => {
    const kept =
      errorMode(data) === 'remove-abnormal-output' ? results.filter((result) => result?.ok === true) : results
    const values = kept.map(given)
    return { output: data.flatten_output === false ? values : flattened(values) }
  },
}

function errorMode(data: JsonObject): string {
  return textAt(data, 'error_handle_mode') || 'terminated'
}

function given(result: RoundResult | undefined): Json {
  return result?.ok === true ? result.value : null
}

/** One list of all items, when every round that gave something gave a list. */
function flattened(values: readonly Json[]): readonly Json[] {
  const present = values.filter((value) => value !== null)
  return present.length > 0 && present.every(isList) ? present.flat() : values
}
