import type { Json, JsonObject } from '#domain/app.ts'
import { objectAt, textAt } from '#domain/json.ts'
import type { TokenUsage } from '#domain/run.ts'
import { fillTemplate, type VariablePool } from '../graph/variable-pool.ts'
import { howToBind } from '../how-to-bind.ts'
import { ModelFailure, type ModelMessage, type ModelRequest } from '../models/model-client.ts'
import { type Hearing, type Said, wholeAnswer } from '../models/whole-answer.ts'
import { type Missing, NodeFailure, type NodeServices, type NodeTask } from './node-executor.ts'

const MAX_PARAM_DEPTH = 20

/**
 * Asks the node's model.
 * @throws NodeFailure when there is none, or it fails
 */
export async function askModel(
  task: NodeTask,
  messages: readonly ModelMessage[],
  hear?: Hearing,
  calling: Pick<ModelRequest, 'tools' | 'mustCall' | 'answerSchema'> = {},
): Promise<Said> {
  const { node, pool, services, signal } = task
  if (services.model === null) throw noModel()
  const request = { ...modelOf(node.data), messages, params: paramsOf(objectAt(node.data, 'model'), pool), ...calling }
  try {
    return await wholeAnswer(services.model, request, signal, hear)
  } catch (error) {
    if (!(error instanceof ModelFailure)) throw error
    throw new NodeFailure('InvokeError', error.message, { failure: error.failure }, { cause: error })
  }
}

/** The failure of a node that has no model to ask. */
export function noModel(): NodeFailure {
  return new NodeFailure('ProviderNotInitialize', 'no model is configured', {
    failure: { code: 'provider_not_initialize', message: 'No model is configured.' },
  })
}

/** What keeps a node from asking its model. */
export function checkModel(node: NodeTask['node'], { model }: NodeServices): Missing | null {
  return missingModel(objectAt(node.data, 'model'), model)
}

/** The same for the `model` setting of any app. */
export function missingModel(settings: JsonObject, client: NodeServices['model']): Missing | null {
  const { model, provider } = modelIn(settings)
  if (client?.canRun(model, provider) === true) return null
  if (model === null) {
    return { kind: 'model', reason: 'no model is chosen', fix: 'Set MODEL_BASE_URL and MODEL_NAME, or choose a model.' }
  }
  const command = howToBind({ kind: 'model', provider, name: model })
  return {
    kind: 'model',
    reason: `the model ${model} is not bound`,
    fix: `Bind it: ${command}; or set MODEL_BASE_URL and MODEL_NAME for all.`,
  }
}

/** Token counts as apps read them. */
export function wireUsage({ promptTokens, completionTokens, totalTokens }: TokenUsage): JsonObject {
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: totalTokens }
}

/** `temperature` and the like as they are; placeholders in texts are filled. */
export function paramsOf(settings: JsonObject, pool: VariablePool): JsonObject {
  const fill = (value: Json, depth: number): Json => {
    if (typeof value === 'string') return fillTemplate(pool, value)
    if (typeof value !== 'object' || value === null || depth > MAX_PARAM_DEPTH) return value
    if (Array.isArray(value)) return value.map((item: Json) => fill(item, depth + 1))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, depth + 1)]))
  }
  return Object.fromEntries(
    Object.entries(objectAt(settings, 'completion_params')).map(([key, value]) => [key, fill(value, 0)]),
  )
}

function modelOf(data: JsonObject): { readonly model: string | null; readonly provider: string } {
  return modelIn(objectAt(data, 'model'))
}

/** The model that settings name; agents call its name `model`. */
export function modelIn(settings: JsonObject): { readonly model: string | null; readonly provider: string } {
  return {
    model: textAt(settings, 'name') || textAt(settings, 'model') || null,
    provider: textAt(settings, 'provider'),
  }
}
