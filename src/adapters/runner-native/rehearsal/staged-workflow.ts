import type { Json, JsonObject } from '#domain/app.ts'
import { isObject, objectAt, objectsAt, textAt } from '#domain/json.ts'
import { BY_NAME } from './made-up-inputs.ts'

/**
 * The workflow as it is played: with a value for each variable of its environment that the file leaves empty, as it
 * does with secrets, and without the pauses between retries.
 */
export function stagedWorkflow(workflow: JsonObject): JsonObject {
  const graph = objectAt(workflow, 'graph')
  const variables = objectsAt(workflow, 'environment_variables')
  return {
    ...workflow,
    environment_variables: variables.map((one) => (isEmpty(one.value) ? { ...one, value: valueFor(one) } : one)),
    graph: { ...graph, nodes: objectsAt(graph, 'nodes').map(unpaused) },
  }
}

function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === null || value === ''
}

function valueFor(variable: JsonObject): Json {
  if (textAt(variable, 'value_type') === 'number') return 3
  const name = textAt(variable, 'name')
  return BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? 'made-up'
}

function unpaused(node: JsonObject): JsonObject {
  const data = objectAt(node, 'data')
  if (!isObject(data.retry_config)) return node
  return { ...node, data: { ...data, retry_config: { ...data.retry_config, retry_interval: 0 } } }
}
