import type { RunJob } from '#application/ports/app-runner.ts'
import { type Question, RetrievalFailure } from '#application/ports/retriever.ts'
import type { NewId } from '#application/ports/secrets.ts'
import type { JsonObject } from '#domain/app.ts'
import { numberAt, objectAt, objectsAt, textAt } from '#domain/json.ts'
import type { RunStep } from '#domain/run.ts'
import type { AgentTask, Tally, ToolUse } from '../agent/agent-task.ts'
import { type AgentTool, agentTool } from '../agent/agent-tool.ts'
import { openTools } from '../agent/open-tools.ts'
import { runAgent, strategyOf } from '../agent/run-agent.ts'
import type { ModelClient } from '../models/model-client.ts'
import type { NodeServices } from '../nodes/node-executor.ts'
import { parseJson } from '../parse-json.ts'
import { contextOf, datasetsOf, searchDatasets, searchSettings } from '../retrieval/search-datasets.ts'
import { ToolFailure } from '../tools/tool.ts'
import { historyOf, instructionOf, modelRequest, questionOf } from './prompt.ts'

type Needs = {
  readonly services: NodeServices
  readonly model: ModelClient
  readonly ids: NewId
  readonly tally: Tally
  readonly resources: JsonObject[]
}

const DEFAULT_ROUNDS = 5
const MAX_ROUNDS = 99

/** Runs an agent app. Each of its rounds is a thought, told anew under one id as it gets its tools and their answers. */
export async function* agentSteps(
  needs: Needs,
  config: JsonObject,
  job: RunJob,
  signal: AbortSignal,
): AsyncGenerator<RunStep> {
  const settings = objectAt(config, 'agent_mode')
  const tools = await toolsOf(needs, config, signal)
  const rounds = numberAt(settings, 'max_iteration') ?? DEFAULT_ROUNDS
  const task: AgentTask = {
    model: needs.model,
    request: modelRequest(config),
    instruction: instructionOf(config, job, [], needs.services.limits.runChars),
    history: historyOf(job),
    query: await questionOf(job, config, needs.services.imagesAs),
    tools,
    maxRounds: Math.min(Math.max(1, Math.floor(rounds)), MAX_ROUNDS),
  }
  let thoughtId = ''
  for await (const step of runAgent(task, strategyOf(textAt(settings, 'strategy')), needs.tally, signal)) {
    switch (step.kind) {
      case 'round':
        thoughtId = needs.ids()
        yield thought(thoughtId, step.position, '', [])
        break
      case 'text':
        yield { kind: 'text', delta: step.delta, fromSelector: null }
        break
      case 'used':
        yield thought(thoughtId, step.position, step.thought, step.uses)
        break
      case 'answered':
        yield thought(thoughtId, step.position, step.thought, [])
    }
  }
}

/** Several tools of one round stand in one thought, with their inputs and answers by name. */
function thought(thoughtId: string, position: number, text: string, uses: readonly ToolUse[]): RunStep {
  const isObserved = uses.length > 0 && uses.every(({ observation }) => observation !== null)
  const byTool = (of: (use: ToolUse) => JsonObject[string]) =>
    JSON.stringify(Object.fromEntries(uses.map((use) => [use.tool, of(use)])))
  return {
    kind: 'agent_thought',
    thoughtId,
    position,
    thought: text,
    observation: isObserved ? byTool(({ observation }) => observation) : '',
    tool: uses.map(({ tool }) => tool).join(';'),
    toolLabels: Object.fromEntries(uses.map(({ tool, label }) => [tool, { en_US: label }])),
    toolInput: uses.length === 0 ? '' : byTool(({ input }) => parseJson(input) ?? input),
    messageFiles: [],
  }
}

async function toolsOf(needs: Needs, config: JsonObject, signal: AbortSignal): Promise<readonly AgentTool[]> {
  const { services } = needs
  const settings = objectAt(config, 'agent_mode')
  const entries = settings.enabled === false ? [] : objectsAt(settings, 'tools')
  const tools = await openTools(entries, services.bindings, services, (raw) => raw ?? null, signal)
  const knowledge = knowledgeTool(needs, config, new Set(tools.map(({ offer }) => offer.name)))
  return knowledge === null ? tools : [...tools, knowledge]
}

/** An agent looks things up when it wants to. */
function knowledgeTool(
  { services, resources }: Needs,
  config: JsonObject,
  taken: ReadonlySet<string>,
): AgentTool | null {
  const datasets = datasetsOf(config)
  if (datasets.length === 0) return null
  const settings = searchSettings(objectAt(config, 'dataset_configs'))
  const parameters = { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] }
  const description = { description: 'Searches what this app knows.', parameters }
  return agentTool(
    { name: 'search_knowledge', label: 'Knowledge', taken },
    description,
    {},
    {
      async call(given, signal) {
        const question: Question = { query: textAt(given, 'query'), ...settings, metadataCondition: null }
        try {
          const found = await searchDatasets(services, datasets, question, 'app', signal)
          resources.push(...found)
          return { text: contextOf(found) || 'Nothing was found.', json: found, files: [] }
        } catch (error) {
          if (error instanceof RetrievalFailure) throw new ToolFailure(error.message, { cause: error })
          throw error
        }
      },
    },
  )
}
