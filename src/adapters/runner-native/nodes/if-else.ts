import type { JsonObject } from '#domain/app.ts'
import { objectsAt, textAt } from '#domain/json.ts'
import { ComparisonFault } from './comparison.ts'
import { holds } from './conditions.ts'
import { type NodeExecutor, NodeFailure } from './node-executor.ts'

type Case = { readonly handles: readonly string[]; readonly body: JsonObject }

/** Chooses the first case whose conditions hold, else the branch `false`. */
export const ifElse: NodeExecutor = {
  run: async ({ node, pool }) => {
    try {
      const chosen = casesOf(node.data).find(({ body }) => holds(pool, body))
      const handles = chosen?.handles ?? ['false']
      const outputs = { result: chosen !== undefined, selected_case_id: handles[0] ?? 'false' }
      return { inputs: {}, outputs, handles }
    } catch (error) {
      if (error instanceof ComparisonFault) throw new NodeFailure('ComparisonError', error.message)
      throw error
    }
  },
}

/** Edges name a case by `case_id` or, in some exports, by `id`; the oldest layout has one unnamed case. */
function casesOf(data: JsonObject): readonly Case[] {
  const cases = objectsAt(data, 'cases')
  if (cases.length === 0) return [{ handles: ['true'], body: data }]
  return cases.map((body) => ({
    handles: [textAt(body, 'case_id'), textAt(body, 'id')].filter((id) => id !== ''),
    body,
  }))
}
