import type { Json, JsonObject } from '#domain/app.ts'
import { objectAt, textAt } from '#domain/json.ts'
import { NO_USAGE, type TokenUsage } from '#domain/run.ts'
import { fillTemplate, type VariablePool } from '../graph/variable-pool.ts'
import { howToBind } from '../how-to-bind.ts'
import { ModelFailure, type ModelMessage } from '../models/model-client.ts'
import { type Missing, NodeFailure, type NodeServices, type NodeTask } from './node-executor.ts'

const MAX_PARAM_DEPTH = 20

/** A model's whole answer. */
export type Said = {
  readonly text: string
  readonly reasoning: string
  readonly finishReason: string | null
  readonly usage: TokenUsage
}

/** Who hears the answer while it comes; resolves when there is room for more. */
export type Hearing = (delta: string) => Promise<void>

/**
 * Asks the node's model.
 * @throws NodeFailure when there is none, or it fails
 */
export async function askModel(task: NodeTask, messages: readonly ModelMessage[], hear?: Hearing): Promise<Said> {
  const { node, pool, services, signal } = task
  if (services.model === null) {
    throw new NodeFailure('ProviderNotInitialize', 'no model is configured', {
      failure: { code: 'provider_not_initialize', message: 'No model is configured.' },
    })
  }
  const request = { ...modelOf(node.data), messages, params: paramsOf(node.data, pool) }
  let [text, reasoning, finishReason, usage]: [string, string, string | null, TokenUsage] = ['', '', null, NO_USAGE]
  try {
    for await (const chunk of services.model.stream(request, signal)) {
      if (chunk.kind === 'usage') usage = chunk.usage
      else if (chunk.kind === 'finish') finishReason = chunk.reason
      else if (chunk.kind === 'reasoning') reasoning += chunk.delta
      else {
        text += chunk.delta
        await hear?.(chunk.delta)
      }
    }
  } catch (error) {
    if (!(error instanceof ModelFailure)) throw error
    throw new NodeFailure('InvokeError', error.message, { failure: error.failure, usage }, { cause: error })
  }
  return { text, reasoning, finishReason, usage }
}

/** What keeps a node from asking its model. */
export function checkModel(node: NodeTask['node'], { model }: NodeServices): Missing | null {
  return missingModel(objectAt(node.data, 'model'), model)
}

/** The same for the `model` setting of any app. */
export function missingModel(settings: JsonObject, client: NodeServices['model']): Missing | null {
  const { model, provider } = modelIn(settings)
  if (client?.canRun(model, provider) === true) return null
  const command = howToBind({ kind: 'model', provider, name: model ?? 'NAME' })
  return {
    kind: 'model',
    reason: model === null ? 'no model is chosen' : `the model ${model} is not bound`,
    fix: `Bind it: ${command}; or set MODEL_BASE_URL and MODEL_NAME for all.`,
  }
}

/** Token counts as apps read them. */
export function wireUsage({ promptTokens, completionTokens, totalTokens }: TokenUsage): JsonObject {
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: totalTokens }
}

/** `temperature` and the like as they are; placeholders in texts are filled. */
function paramsOf(data: JsonObject, pool: VariablePool): JsonObject {
  const fill = (value: Json, depth: number): Json => {
    if (typeof value === 'string') return fillTemplate(pool, value)
    if (typeof value !== 'object' || value === null || depth > MAX_PARAM_DEPTH) return value
    if (Array.isArray(value)) return value.map((item: Json) => fill(item, depth + 1))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, depth + 1)]))
  }
  return Object.fromEntries(
    Object.entries(objectAt(objectAt(data, 'model'), 'completion_params')).map(([key, value]) => [key, fill(value, 0)]),
  )
}

function modelOf(data: JsonObject): { readonly model: string | null; readonly provider: string } {
  return modelIn(objectAt(data, 'model'))
}

function modelIn(settings: JsonObject): { readonly model: string | null; readonly provider: string } {
  return { model: textAt(settings, 'name') || null, provider: textAt(settings, 'provider') }
}
