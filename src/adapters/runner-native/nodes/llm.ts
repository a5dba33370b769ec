import type { Json, JsonObject } from '#domain/app.ts'
import { objectAt, textAt } from '#domain/json.ts'
import { NO_USAGE, type TokenUsage } from '#domain/run.ts'
import { fillTemplate, type VariablePool } from '../graph/variable-pool.ts'
import { ModelFailure } from '../models/model-client.ts'
import { promptOf, retrievedFrom } from './llm-prompt.ts'
import { type NodeExecutor, NodeFailure, type NodeTask } from './node-executor.ts'

const MAX_PARAM_DEPTH = 20

/** Asks the model, and tells its answer while it comes. */
export const llm: NodeExecutor = {
  run: async (task) => {
    const messages = await promptOf(task)
    const retrieved = retrievedFrom(task)
    const inputs = { prompts: messages.map(({ role, text }) => ({ role, text })) }
    const said = await ask(task, messages)
    return {
      inputs,
      outputs: {
        text: said.text,
        reasoning_content: said.reasoning,
        usage: wireUsage(said.usage),
        finish_reason: said.finishReason,
        files: [],
      },
      usage: said.usage,
      retrieverResources: retrieved,
    }
  },
  check: (node, { model }) => {
    if (isStructured(node.data)) {
      return { kind: 'node', reason: 'structured output is not supported', fix: 'Switch structured output off.' }
    }
    return model?.canRun(modelName(node.data)) === true ? null : { kind: 'model' }
  },
}

type Said = {
  readonly text: string
  readonly reasoning: string
  readonly finishReason: string | null
  readonly usage: TokenUsage
}

async function ask(task: NodeTask, messages: Awaited<ReturnType<typeof promptOf>>): Promise<Said> {
  const { node, pool, services, signal, emit } = task
  if (services.model === null) {
    throw new NodeFailure('ProviderNotInitialize', 'no model is configured', {
      failure: { code: 'provider_not_initialize', message: 'No model is configured.' },
    })
  }
  const request = { model: modelName(node.data), messages, params: paramsOf(node.data, pool) }
  let [text, reasoning, finishReason, usage]: [string, string, string | null, TokenUsage] = ['', '', null, NO_USAGE]
  try {
    for await (const chunk of services.model.stream(request, signal)) {
      if (chunk.kind === 'usage') usage = chunk.usage
      else if (chunk.kind === 'finish') finishReason = chunk.reason
      else if (chunk.kind === 'reasoning') reasoning += chunk.delta
      else {
        text += chunk.delta
        await emit(chunk.delta)
      }
    }
  } catch (error) {
    if (!(error instanceof ModelFailure)) throw error
    throw new NodeFailure('InvokeError', error.message, { failure: error.failure, usage }, { cause: error })
  }
  return { text, reasoning, finishReason, usage }
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

function modelName(data: JsonObject): string | null {
  return textAt(objectAt(data, 'model'), 'name') || null
}

function isStructured(data: JsonObject): boolean {
  return data.structured_output_enabled === true || objectAt(data, 'structured_output').enabled === true
}

function wireUsage({ promptTokens, completionTokens, totalTokens }: TokenUsage): JsonObject {
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: totalTokens }
}
