import type { Json, JsonObject } from '#domain/app.ts'
import { isList, objectsAt, textAt, textsAt } from '#domain/json.ts'
import { resolve, type VariablePool } from '../graph/variable-pool.ts'
import { operate } from './assignment.ts'
import { type NodeExecutor, NodeFailure, type NodeTask } from './node-executor.ts'

/** Upstream's cap for one variable. */

type Item = {
  readonly selector: readonly string[]
  readonly operation: string
  readonly input: (pool: VariablePool) => Json
}

/** Changes variables of the conversation or of the loop around it: all of its items, or none. */
export const assigner: NodeExecutor = {
  run: async (task) => {
    // Read and changed without a pause between: two assigners at the same time must not lose each other's work.
    const changed = new Map<string, { readonly selector: readonly string[]; readonly value: Json }>()
    for (const item of itemsOf(task.node.data)) {
      const key = JSON.stringify(item.selector)
      changed.set(key, { selector: item.selector, value: assigned(task, item, changed.get(key)?.value) })
    }
    await task.assign([...changed.values()])
    const values = [...changed.values()].map(({ selector, value }) => [selector.slice(1).join('.'), value] as const)
    return { inputs: {}, outputs: Object.fromEntries(values) }
  },
}

/** The variables that an assigner may write, as `node.name`. */
export function assignedBy(data: JsonObject): readonly string[] {
  return itemsOf(data).map(({ selector }) => selector.join('.'))
}

function assigned(
  { pool, job, services }: NodeTask,
  { selector, operation, input }: Item,
  soFar: Json | undefined,
): Json {
  const name = selector.join('.').slice(0, 100)
  const current = soFar ?? resolve(pool, selector)
  if (current === undefined || selector.length !== 2 || selector[0] === 'sys' || selector[0] === 'env') {
    throw new NodeFailure('VariableOperatorNodeError', `variable ${name} cannot be assigned`)
  }
  const value = operate(operation, declaredType(job.definition.workflow, selector), current, () => input(pool))
  const { variableChars } = services.limits
  const isLarge =
    (typeof value === 'object' && JSON.stringify(value).length > variableChars) ||
    (typeof value === 'string' && value.length > variableChars)
  if (isLarge) throw tooLarge(name, variableChars)
  return value
}

function tooLarge(name: string, chars: number): NodeFailure {
  return new NodeFailure('VariableOperatorNodeError', `variable ${name} would be longer than ${chars} characters`)
}

function declaredType(workflow: JsonObject | null, [namespace, name]: readonly string[]): string {
  if (workflow === null || namespace !== 'conversation') return ''
  const declared = objectsAt(workflow, 'conversation_variables').find((entry) => textAt(entry, 'name') === name)
  return declared === undefined ? '' : textAt(declared, 'value_type')
}

/** The first version of the node has one item, spread over its data. */
function itemsOf(data: JsonObject): readonly Item[] {
  if (!isList(data.items)) {
    const from = textsAt(data, 'input_variable_selector')
    return [
      {
        selector: textsAt(data, 'assigned_variable_selector'),
        operation: textAt(data, 'write_mode') || 'over-write',
        input: (pool) => variable(pool, from),
      },
    ]
  }
  return objectsAt(data, 'items').map((item) => ({
    selector: textsAt(item, 'variable_selector'),
    operation: textAt(item, 'operation') || 'over-write',
    input: (pool) =>
      textAt(item, 'input_type') === 'constant' ? (item.value ?? null) : variable(pool, textsAt(item, 'value')),
  }))
}

function variable(pool: VariablePool, selector: readonly string[]): Json {
  const value = resolve(pool, selector)
  if (value !== undefined) return value
  const name = selector.join('.').slice(0, 100)
  throw new NodeFailure('VariableOperatorNodeError', `variable ${name} does not exist`)
}
