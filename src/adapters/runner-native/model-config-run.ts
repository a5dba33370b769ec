import type { RunJob } from '#application/ports/app-runner.ts'
import { RetrievalFailure } from '#application/ports/retriever.ts'
import type { NewId } from '#application/ports/secrets.ts'
import type { JsonObject } from '#domain/app.ts'
import type { RunFailure, RunStep, RunTotals } from '#domain/run.ts'
import { newTally, type Tally } from './agent/agent-task.ts'
import { agentSteps } from './model-config/agent-steps.ts'
import { knowledgeFor } from './model-config/knowledge.ts'
import { messagesOf, modelRequest } from './model-config/prompt.ts'
import { untilAborted } from './model-config/until-aborted.ts'
import { type ModelClient, ModelFailure } from './models/model-client.ts'
import { addUsage } from './models/whole-answer.ts'
import type { NodeServices } from './nodes/node-executor.ts'
import { resourceOf } from './retrieval/search-datasets.ts'
import { ToolFailure } from './tools/tool.ts'

type Needs = { readonly services: NodeServices; readonly model: ModelClient; readonly ids: NewId }

/** What is found on the way to an answer. */
type Found = { readonly tally: Tally; readonly resources: JsonObject[] }

/** Runs an app without a graph: chat, completion, or an agent. */
export async function* runModelConfig(
  { services, model, ids }: Needs,
  config: JsonObject,
  job: RunJob,
  signal: AbortSignal,
): AsyncGenerator<RunStep> {
  const { now, timer } = services
  const startedAtMs = now()
  yield { kind: 'run_started', inputs: job.request.inputs, reason: 'initial' }

  // An agent may go round for hours; a graph may not either.
  const late = new AbortController()
  const cancel = timer(services.limits.runSeconds * 1000, () => late.abort())
  const either = AbortSignal.any([signal, late.signal])
  const found: Found = { tally: newTally(), resources: [] }
  const telling =
    job.app.mode === 'agent-chat'
      ? agentSteps({ services, model, ids, ...found }, config, job, either)
      : promptSteps(services, model, config, job, found, either)
  let [answer, failure]: [string, RunFailure | null] = ['', null]
  try {
    for await (const step of untilAborted(telling, either)) {
      if (step.kind === 'text') {
        // Each round of an agent is an answer of its model, and no longer than one; together they are the run's.
        if (answer.length + step.delta.length > services.limits.answerChars) throw tooLong(services.limits.answerChars)
        answer += step.delta
      }
      yield step
    }
  } catch (error) {
    failure = failureIn(error)
  } finally {
    cancel()
  }
  if (late.signal.aborted) failure = { code: 'invalid_param', message: 'the run took too long' }

  const { usage } = found.tally
  const totals: RunTotals = {
    usage,
    totalSteps: 1,
    exceptionsCount: 0,
    elapsedS: Math.max(0, now() - startedAtMs) / 1000,
  }
  if (signal.aborted) {
    const reason = typeof signal.reason === 'string' ? signal.reason : 'user'
    yield { kind: 'stopped', reason, outputs: {}, answer, ...totals }
  } else if (failure !== null) {
    yield { kind: 'failed', failure, outputs: {}, answer, ...totals }
  } else {
    yield { kind: 'succeeded', outputs: {}, answer, retrieverResources: found.resources.map(resourceOf), ...totals }
  }
}

function tooLong(chars: number): ModelFailure {
  return new ModelFailure({
    code: 'completion_request_error',
    message: `The answer is longer than ${chars} characters.`,
  })
}

async function* promptSteps(
  services: NodeServices,
  model: ModelClient,
  config: JsonObject,
  job: RunJob,
  { tally, resources }: Found,
  signal: AbortSignal,
): AsyncGenerator<RunStep> {
  resources.push(...(await knowledgeFor(services, config, job.request, signal)))
  const messages = await messagesOf(config, job, resources, services)
  if (messages.length === 0) throw new ModelFailure({ code: 'invalid_param', message: 'The prompt is empty.' })
  for await (const chunk of model.stream({ ...modelRequest(config), messages }, signal)) {
    if (chunk.kind === 'usage') tally.usage = addUsage(tally.usage, chunk.usage)
    if (chunk.kind === 'text') yield { kind: 'text', delta: chunk.delta, fromSelector: null }
  }
}

/** What the model, a tool's server or the knowledge did; anything else is a fault of ours. */
function failureIn(error: unknown): RunFailure {
  if (error instanceof ModelFailure) return error.failure
  if (error instanceof ToolFailure || error instanceof RetrievalFailure) {
    return { code: 'invalid_param', message: error.message }
  }
  throw error
}
