import type { JsonObject } from '#domain/app.ts'
import { numberAt, textAt } from '#domain/json.ts'
import type { NodeRef } from '#domain/run.ts'

/** Ids of our own for what another server tells of one run: by its ids a caller could reach for what is not theirs. */
export function makeOurIds(newId: () => string) {
  const ids = new Map<string, string>()
  let index = 0

  /** The same for the same thing, however often it is told of. */
  function idOf(theirs: string): string {
    const known = ids.get(theirs) ?? newId()
    ids.set(theirs, known)
    return known
  }

  function nodeRef(data: JsonObject): NodeRef {
    const theirs = textAt(data, 'id') || textAt(data, 'node_id')
    if (!ids.has(theirs)) index += 1
    return {
      executionId: idOf(theirs),
      nodeId: textAt(data, 'node_id'),
      nodeType: textAt(data, 'node_type'),
      title: textAt(data, 'title'),
      index: numberAt(data, 'index') ?? index,
      predecessorNodeId: textAt(data, 'predecessor_node_id') || null,
      iterationId: textAt(data, 'iteration_id') || null,
      loopId: textAt(data, 'loop_id') || null,
    }
  }

  return { idOf, nodeRef }
}
