import type { Json, JsonObject } from '#domain/app.ts'
import { isObject, numberAt, objectAt, textAt } from '#domain/json.ts'
import { type AgentStep, type AgentTask, newTally } from '../agent/agent-task.ts'
import type { AgentTool } from '../agent/agent-tool.ts'
import { mcpServersIn, openMcpTools } from '../agent/mcp-servers.ts'
import { openTools, unboundTools } from '../agent/open-tools.ts'
import { runAgent, strategyOf } from '../agent/run-agent.ts'
import { fillTemplate, textOf } from '../graph/variable-pool.ts'
import { ModelFailure } from '../models/model-client.ts'
import { settingValue } from '../tools/setting-value.ts'
import { ToolFailure } from '../tools/tool.ts'
import { missingModel, modelIn, noModel, paramsOf, wireUsage } from './ask-model.ts'
import { historyOf } from './llm-prompt.ts'
import { type Missing, type NodeExecutor, NodeFailure, type NodeTask } from './node-executor.ts'

const DEFAULT_ROUNDS = 5
const MAX_ROUNDS = 99

/** Lets the model use tools until it answers. */
export const agent: NodeExecutor = {
  run: async (task) => {
    const { node, services, signal } = task
    if (services.model === null) throw noModel()
    const inputs = { query: parameterText(task, 'query'), instruction: parameterText(task, 'instruction') }
    const tally = newTally()
    let text = ''
    try {
      const tools = await toolsOf(task)
      const work = agentTask(task, services.model, tools)
      for await (const step of runAgent(work, strategyOf(textAt(node.data, 'agent_strategy_name')), tally, signal)) {
        if (step.kind === 'text') {
          if (text.length + step.delta.length > services.limits.answerChars) throw tooLong(services.limits.answerChars)
          text += step.delta
          await task.emit(step.delta)
        } else await task.log(logOf(step))
      }
    } catch (error) {
      const facts = { inputs, usage: tally.usage }
      if (error instanceof ToolFailure) throw new NodeFailure('AgentNodeError', error.message, facts, { cause: error })
      if (!(error instanceof ModelFailure)) throw error
      throw new NodeFailure('InvokeError', error.message, { ...facts, failure: error.failure }, { cause: error })
    }
    const { usage, json, files } = tally
    return { inputs, outputs: { text, files, json, usage: wireUsage(usage) }, usage }
  },
  check: ({ data }, services) => {
    const settings = objectAt(data, 'agent_parameters')
    const [unbound] = unboundTools(entriesIn(written(settings, 'tools')), services.bindings, services)
    if (unbound !== undefined) return { kind: 'node', reason: unbound.reason, fix: unbound.fix } satisfies Missing
    const model = written(settings, 'model')
    return missingModel(isObject(model) ? model : {}, services.model)
  },
}

/** Each of its rounds may be as long as an answer of its model; all of them stand in memory. */
function tooLong(chars: number): NodeFailure {
  return new NodeFailure('AgentNodeError', `the agent said more than ${chars} characters`)
}

function agentTask(task: NodeTask, model: AgentTask['model'], tools: readonly AgentTool[]): AgentTask {
  const { node, pool } = task
  const settings = objectAt(node.data, 'agent_parameters')
  const chosen = written(settings, 'model')
  const { memory } = node.data
  const rounds = Number(written(settings, 'maximum_iterations') ?? numberAt(node.data, 'max_iteration'))
  return {
    model,
    request: { ...modelIn(isObject(chosen) ? chosen : {}), params: isObject(chosen) ? paramsOf(chosen, pool) : {} },
    instruction: parameterText(task, 'instruction'),
    history: isObject(memory) ? historyOf(task, memory) : [],
    query: { role: 'user', text: parameterText(task, 'query') },
    tools,
    maxRounds: rounds >= 1 ? Math.min(Math.floor(rounds), MAX_ROUNDS) : DEFAULT_ROUNDS,
  }
}

async function toolsOf(task: NodeTask): Promise<readonly AgentTool[]> {
  const { node, pool, services, signal } = task
  const settings = objectAt(node.data, 'agent_parameters')
  const fill = (raw: Json | undefined) => settingValue(raw, pool)
  const entries = entriesIn(written(settings, 'tools'))
  const listed = await openTools(entries, services.bindings, services, fill, signal)
  const servers = mcpServersIn(settings, (text) => fillTemplate(pool, text))
  return [...listed, ...(await openMcpTools(servers, services, listed, signal))]
}

function parameterText({ node, pool }: NodeTask, name: string): string {
  return textOf(settingValue(objectAt(node.data, 'agent_parameters')[name], pool))
}

/** Without filling in anything: lists and models are as the editor wrote them. */
function written(settings: JsonObject, name: string): Json {
  const raw = settings[name] ?? null
  return isObject(raw) && 'value' in raw ? (raw.value ?? null) : raw
}

function entriesIn(value: Json): readonly JsonObject[] {
  return (Array.isArray(value) ? value : []).filter((entry: Json) => isObject(entry))
}

function logOf(step: Exclude<AgentStep, { kind: 'text' }>): Parameters<NodeTask['log']>[0] {
  if (step.kind === 'round') return { label: `ROUND ${step.position}`, status: 'start', data: {} }
  const { position, thought } = step
  if (step.kind === 'answered') return { label: `ROUND ${position}`, status: 'success', data: { thought } }
  const isDone = step.uses.every(({ observation }) => observation !== null)
  const uses = step.uses.map(({ tool, input, observation }): JsonObject => ({ tool, tool_input: input, observation }))
  return {
    label: `CALL ${step.uses.map(({ tool }) => tool).join(', ')}`,
    status: isDone ? 'success' : 'start',
    data: { round: position, thought, calls: uses },
  }
}
