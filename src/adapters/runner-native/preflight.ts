import type { Preflight } from '#application/ports/app-runner.ts'
import type { App, AppDefinition, JsonObject } from '#domain/app.ts'
import { isGraphMode } from '#domain/app-mode.ts'
import type { PreflightIssue } from '#domain/errors.ts'
import { isObject, objectAt, objectsAt, textAt } from '#domain/json.ts'
import { buildGraph, type Graph, isContainer } from './graph/graph.ts'
import type { ModelClient } from './models/model-client.ts'
import type { NodeServices } from './nodes/node-executor.ts'
import { executorOf } from './nodes/node-table.ts'

/** Everything that keeps an app from starting, found by looking at it. Nodes first: a model would not help them. */
export function preflightOf(app: App, definition: AppDefinition, services: NodeServices): Preflight {
  const { workflow, modelConfig } = definition
  if (isGraphMode(app.mode)) return workflow === null ? unusable() : checkGraph(workflow, services)
  return modelConfig === null ? unusable() : checkModelConfig(modelConfig, services.model)
}

function checkGraph(workflow: JsonObject, services: NodeServices): Preflight {
  const graph = buildGraph(workflow)
  if (graph === null) return unusable()
  const issues: PreflightIssue[] = []
  return verdict(issues, checkNodes(graph, services, issues))
}

/** Whether some node needs a model that is not there; what else is missing is added to `issues`. */
function checkNodes(graph: Graph, services: NodeServices, issues: PreflightIssue[]): boolean {
  let lacksModel = false
  for (const node of graph.nodes.values()) {
    const about = { node: node.id, title: node.title }
    const inner = graph.inner.get(node.id)
    if (inner !== undefined) {
      if (checkNodes(inner, services, issues)) lacksModel = true
      continue
    }
    if (isContainer(node)) {
      issues.push({ ...about, reason: 'there is nothing inside to repeat', fix: 'Remove the node, or fill it.' })
      continue
    }
    const executor = executorOf(node.type)
    if (executor === null) {
      const fix = 'Remove the node, or replace it by supported ones.'
      issues.push({ ...about, reason: `nodes of type ${node.type} cannot be run here`, fix })
      continue
    }
    const missing = executor.check?.(node, services) ?? null
    if (missing?.kind === 'model') lacksModel = true
    if (missing?.kind === 'node') issues.push({ ...about, reason: missing.reason, fix: missing.fix })
  }
  return lacksModel
}

function checkModelConfig(config: JsonObject, model: ModelClient | null): Preflight {
  const issues: PreflightIssue[] = enabledTools(config).map((title) => ({
    node: 'agent_mode',
    title,
    reason: 'agent tools cannot be run here',
    fix: 'Remove the tool from the app.',
  }))
  if (textAt(config, 'prompt_type') === 'advanced') {
    issues.push({
      node: 'prompt_type',
      title: 'Prompt',
      reason: 'advanced prompts cannot be run here',
      fix: 'Switch the app to a simple prompt.',
    })
  }
  if (objectsAt(objectAt(objectAt(config, 'dataset_configs'), 'datasets'), 'datasets').some(isKnowledgeOn)) {
    issues.push({
      node: 'dataset_configs',
      title: 'Knowledge',
      reason: 'knowledge is not part of an app file',
      fix: 'Remove the knowledge from the app.',
    })
  }
  return verdict(issues, model?.canRun(textAt(objectAt(config, 'model'), 'name') || null) !== true)
}

/** Tools by name. The oldest exports wrap each: `{google_search: {enabled: true}}`. */
function enabledTools(config: JsonObject): readonly string[] {
  const agent = objectAt(config, 'agent_mode')
  if (agent.enabled === false) return []
  return objectsAt(agent, 'tools').flatMap((tool) => {
    if ('tool_name' in tool) return tool.enabled === false ? [] : [textAt(tool, 'tool_name')]
    return Object.entries(tool).flatMap(([name, settings]) =>
      isObject(settings) && settings.enabled === true ? [name] : [],
    )
  })
}

function isKnowledgeOn(entry: JsonObject): boolean {
  const dataset = objectAt(entry, 'dataset')
  return dataset.enabled !== false && textAt(dataset, 'id') !== ''
}

function unusable(): Preflight {
  const issue = {
    node: '',
    title: '',
    reason: 'the app has no usable definition',
    fix: 'Import a file with a start node or a model configuration.',
  }
  return { ok: false, reason: 'nodes', issues: [issue] }
}

function verdict(issues: readonly PreflightIssue[], lacksModel: boolean): Preflight {
  if (issues.length > 0) return { ok: false, reason: 'nodes', issues }
  if (!lacksModel) return { ok: true }
  return {
    ok: false,
    reason: 'model',
    message: 'No model is configured for this app.',
    hint: 'Set MODEL_BASE_URL, MODEL_NAME and MODEL_API_KEY to an OpenAI-compatible endpoint.',
  }
}
