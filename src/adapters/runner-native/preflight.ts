import type { Preflight } from '#application/ports/app-runner.ts'
import type { App, AppDefinition, JsonObject } from '#domain/app.ts'
import { isGraphMode } from '#domain/app-mode.ts'
import type { PreflightIssue } from '#domain/errors.ts'
import { objectAt, objectsAt, textAt } from '#domain/json.ts'
import { unboundTools } from './agent/open-tools.ts'
import { buildGraph, type Graph, type GraphNode, isContainer } from './graph/graph.ts'
import { missingModel } from './nodes/ask-model.ts'
import type { Missing, NodeServices } from './nodes/node-executor.ts'
import { executorOf } from './nodes/node-table.ts'
import { datasetsOf, unboundDatasets } from './retrieval/search-datasets.ts'

/** Everything that keeps an app from starting, found by looking at it. Nodes first: a model would not help them. */
export function preflightOf(app: App, definition: AppDefinition, services: NodeServices): Preflight {
  const { workflow, modelConfig } = definition
  if (isGraphMode(app.mode)) return workflow === null ? unusable() : checkGraph(workflow, services)
  return modelConfig === null ? unusable() : checkModelConfig(app.mode, modelConfig, services)
}

function checkGraph(workflow: JsonObject, services: NodeServices): Preflight {
  const graph = buildGraph(workflow)
  if (graph === null) return unusable()
  return verdict(findingsIn(graph, services))
}

/** What one node lacks. */
type Finding = Missing & Pick<PreflightIssue, 'node' | 'title'>

function findingsIn(graph: Graph, services: NodeServices): readonly Finding[] {
  return [...graph.nodes.values()].flatMap((node) => {
    const inner = graph.inner.get(node.id)
    if (inner !== undefined) return findingsIn(inner, services)
    const missing = missingOf(node, services)
    return missing === null ? [] : [{ ...missing, node: node.id, title: node.title }]
  })
}

function missingOf(node: GraphNode, services: NodeServices): Missing | null {
  if (isContainer(node)) {
    return { kind: 'node', reason: 'there is nothing inside to repeat', fix: 'Remove the node, or fill it.' }
  }
  const executor = executorOf(node.type)
  if (executor !== null) return executor.check?.(node, services) ?? null
  const fix = 'Remove the node, or replace it by supported ones.'
  return { kind: 'node', reason: `nodes of type ${node.type} cannot be run here`, fix }
}

function checkModelConfig(mode: App['mode'], config: JsonObject, services: NodeServices): Preflight {
  const agent = objectAt(config, 'agent_mode')
  const tools = mode === 'agent-chat' && agent.enabled !== false ? objectsAt(agent, 'tools') : []
  const findings: Finding[] = [
    ...unboundTools(tools, services.bindings, services).map((lack) => ({
      kind: 'node' as const,
      node: 'agent_mode',
      ...lack,
    })),
    ...unboundDatasets(datasetsOf(config), services.bindings).map((lack) => ({
      kind: 'node' as const,
      node: 'dataset_configs',
      title: 'Knowledge',
      ...lack,
    })),
  ]
  if (textAt(config, 'prompt_type') === 'advanced') {
    findings.push({
      kind: 'node',
      node: 'prompt_type',
      title: 'Prompt',
      reason: 'advanced prompts cannot be run here',
      fix: 'Switch the app to a simple prompt.',
    })
  }
  const missing = missingModel(objectAt(config, 'model'), services.model)
  if (missing !== null) findings.push({ ...missing, node: 'model', title: 'Model' })
  return verdict(findings)
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

/** A model that is missing alone has an answer of its own: setting one variable may be all it takes. */
function verdict(findings: readonly Finding[]): Preflight {
  if (findings.length === 0) return { ok: true }
  const issues = findings.map(({ kind: _kind, node, title, reason, fix }) => ({ node, title, reason, fix }))
  if (findings.some(({ kind }) => kind === 'node')) return { ok: false, reason: 'nodes', issues }
  return {
    ok: false,
    reason: 'model',
    message: 'No model is configured for this app.',
    hint: 'Set MODEL_BASE_URL, MODEL_NAME and MODEL_API_KEY to an OpenAI-compatible endpoint.',
    issues,
  }
}
