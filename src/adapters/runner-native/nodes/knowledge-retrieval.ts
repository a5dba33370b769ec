import { RetrievalFailure } from '#application/ports/retriever.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { numberAt, objectAt, objectsAt, textAt, textsAt } from '#domain/json.ts'
import { resolve, textOf, type VariablePool } from '../graph/variable-pool.ts'
import { searchDatasets, searchSettings, unboundDatasets } from '../retrieval/search-datasets.ts'
import { settingValue } from '../tools/setting-value.ts'
import { type NodeExecutor, NodeFailure } from './node-executor.ts'

/** Finds passages in what the workspace bound the node's datasets to. */
export const knowledgeRetrieval: NodeExecutor = {
  run: async ({ node: { data }, pool, services, signal }) => {
    const query = textOf(resolve(pool, textsAt(data, 'query_variable_selector'))).trim()
    const inputs = { query }
    if (query === '') return { inputs, outputs: { result: [] } }
    const question = { query, ...searchSettings(settingsOf(data)), metadataCondition: conditionOf(data, pool) }
    try {
      const result = await searchDatasets(services, textsAt(data, 'dataset_ids'), question, 'workflow', signal)
      return { inputs, outputs: { result } }
    } catch (error) {
      if (!(error instanceof RetrievalFailure)) throw error
      throw new NodeFailure('KnowledgeRetrievalNodeError', error.message, { inputs }, { cause: error })
    }
  },
  check: ({ data }, { bindings }) => {
    const [missing] = unboundDatasets(textsAt(data, 'dataset_ids'), bindings)
    return missing === undefined ? null : { kind: 'node', ...missing }
  },
}

/** Searching one dataset of several was the model's choice; here all are searched, and the best passages win. */
function settingsOf(data: JsonObject): JsonObject {
  const isSingle = textAt(data, 'retrieval_mode') === 'single'
  return objectAt(data, isSingle ? 'single_retrieval_config' : 'multiple_retrieval_config')
}

function conditionOf(data: JsonObject, pool: VariablePool): JsonObject | null {
  if (textAt(data, 'metadata_filtering_mode') !== 'manual') return null
  const filter = objectAt(data, 'metadata_filtering_conditions')
  const conditions = objectsAt(filter, 'conditions').map((condition): JsonObject => {
    const value: Json = settingValue(condition.value, pool)
    return {
      name: [textAt(condition, 'name')],
      comparison_operator: textAt(condition, 'comparison_operator'),
      value: typeof condition.value === 'number' ? numberAt(condition, 'value') : value === null ? null : textOf(value),
    }
  })
  if (conditions.length === 0) return null
  return { logical_operator: textAt(filter, 'logical_operator') || 'and', conditions }
}
