import type { JsonObject } from '#domain/app.ts'
import { objectAt, textAt } from '#domain/json.ts'
import type { RunRequest } from '#domain/run.ts'
import { textOf } from '../graph/variable-pool.ts'
import type { NodeServices } from '../nodes/node-executor.ts'
import { datasetsOf, searchDatasets, searchSettings } from '../retrieval/search-datasets.ts'

/**
 * The passages that a chat or completion app answers from; a completion says by which of its inputs to look for them.
 * @throws RetrievalFailure
 */
export async function knowledgeFor(
  services: NodeServices,
  config: JsonObject,
  { query, inputs }: RunRequest,
  signal: AbortSignal,
): Promise<readonly JsonObject[]> {
  const datasets = datasetsOf(config)
  const variable = textAt(config, 'dataset_query_variable')
  const wanted = (query.trim() || textOf(inputs[variable])).trim()
  if (datasets.length === 0 || wanted === '') return []
  const question = { query: wanted, ...searchSettings(objectAt(config, 'dataset_configs')), metadataCondition: null }
  return searchDatasets(services, datasets, question, 'app', signal)
}
