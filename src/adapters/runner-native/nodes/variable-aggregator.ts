import type { Json, JsonObject } from '#domain/app.ts'
import { isList, listAt, objectAt, objectsAt, textAt } from '#domain/json.ts'
import { resolve, type VariablePool } from '../graph/variable-pool.ts'
import type { NodeExecutor } from './node-executor.ts'

/** Joins branches: the first variable that exists is the output, for the whole node or for each of its groups. */
export const variableAggregator: NodeExecutor = {
  run: async ({ node, pool }) => {
    const settings = objectAt(node.data, 'advanced_settings')
    if (settings.group_enabled !== true) {
      const found = firstOf(pool, node.data)
      return found === undefined
        ? { inputs: {}, outputs: {} }
        : { inputs: { [found.name]: found.value }, outputs: { output: found.value } }
    }
    const inputs: Record<string, Json> = {}
    const outputs: Record<string, Json> = {}
    for (const group of objectsAt(settings, 'groups')) {
      const found = firstOf(pool, group)
      if (found === undefined) continue
      inputs[found.name] = found.value
      outputs[textAt(group, 'group_name')] = { output: found.value }
    }
    return { inputs, outputs }
  },
}

function firstOf(pool: VariablePool, owner: JsonObject): { readonly name: string; readonly value: Json } | undefined {
  for (const selector of listAt(owner, 'variables')) {
    if (!isList(selector)) continue
    const path = selector.map(String)
    const value = resolve(pool, path)
    if (value !== undefined) return { name: path.slice(1).join('.'), value }
  }
  return undefined
}
