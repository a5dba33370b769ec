import type { Bindings } from '#application/ports/bindings.ts'
import type { Question, Retriever } from '#application/ports/retriever.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { isObject, numberAt, objectAt, textAt } from '#domain/json.ts'
import { howToBind } from '../how-to-bind.ts'

const MAX_TOP_K = 100
const DEFAULT_TOP_K = 4

/** What an app's settings say of a search: how many, and from which score on. */
export function searchSettings(settings: JsonObject): Pick<Question, 'topK' | 'scoreThreshold'> {
  const topK = numberAt(settings, 'top_k') ?? DEFAULT_TOP_K
  const isOff = settings.score_threshold_enabled === false
  return {
    topK: Math.min(Math.max(1, Math.floor(topK)), MAX_TOP_K),
    scoreThreshold: isOff ? null : numberAt(settings, 'score_threshold'),
  }
}

/** Searches all datasets at once; gives the best passages of them as apps read them. */
export async function searchDatasets(
  needs: { readonly bindings: Bindings; readonly retriever: Retriever },
  datasetIds: readonly string[],
  question: Question,
  from: 'workflow' | 'app',
  signal: AbortSignal,
): Promise<readonly JsonObject[]> {
  const bound = datasetIds.flatMap((id) => {
    const binding = needs.bindings.dataset(id)
    return binding === null ? [] : [{ id, binding }]
  })
  const found = await Promise.all(
    bound.map(async ({ id, binding }) => {
      const records = await needs.retriever.retrieve(binding, question, signal)
      return records.map((record) => ({ ...record, id, name: binding.knowledgeId }))
    }),
  )
  return found
    .flat()
    .toSorted((one, other) => other.score - one.score)
    .slice(0, question.topK)
    .map(({ content, title, score, metadata, id, name }, at) => ({
      content,
      title,
      url: textAt(metadata, 'url') || null,
      metadata: {
        _source: 'knowledge',
        dataset_id: id,
        dataset_name: name,
        document_id: textAt(metadata, 'document_id') || null,
        document_name: title,
        data_source_type: 'external',
        retriever_from: from,
        score,
        position: at + 1,
        doc_metadata: metadata,
      },
    }))
}

/** A passage as a message's metadata names it; anything else as it is. */
export function resourceOf(item: JsonObject): Json {
  const metadata = objectAt(item, 'metadata')
  if (metadata._source !== 'knowledge') return item
  const { _source, doc_metadata: _, ...facts } = metadata
  return { ...facts, content: item.content ?? '' }
}

/** The passages as one text for a prompt. */
export function contextOf(items: readonly JsonObject[]): string {
  return items.map((item) => textAt(item, 'content')).join('\n')
}

/** Datasets that nothing stands for here. */
export function unboundDatasets(datasetIds: readonly string[], bindings: Bindings) {
  return datasetIds
    .filter((id) => bindings.dataset(id) === null)
    .map((id) => ({
      reason: `the knowledge ${id} is not bound`,
      fix: `Bind it: ${howToBind({ kind: 'dataset', provider: '', name: id })}`,
    }))
}

/** Ids of the datasets that an app without a graph searches. */
export function datasetsOf(config: JsonObject): readonly string[] {
  const listed = objectAt(objectAt(config, 'dataset_configs'), 'datasets').datasets ?? null
  const tools = objectAt(config, 'agent_mode').tools ?? null
  // Agents of older exports have them among their tools.
  const entries = [listed, tools].flatMap((list) => (Array.isArray(list) ? list : [])).filter(isObject)
  const ids = entries
    .map((entry) => objectAt(entry, 'dataset'))
    .filter((dataset) => dataset.enabled !== false && textAt(dataset, 'id') !== '')
    .map((dataset) => textAt(dataset, 'id'))
  return [...new Set(ids)]
}
