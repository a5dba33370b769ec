import type { RunJob } from '#application/ports/app-runner.ts'
import type { Clock } from '#application/ports/clock.ts'
import type { NewId } from '#application/ports/secrets.ts'
import type { JsonObject } from '#domain/app.ts'
import { objectAt, textAt } from '#domain/json.ts'
import { NO_USAGE, type RunFailure, type RunStep, type RunTotals } from '#domain/run.ts'
import { textOf } from './graph/variable-pool.ts'
import { type ModelClient, ModelFailure, type ModelMessage } from './models/model-client.ts'

type Needs = { readonly model: ModelClient; readonly now: Clock; readonly ids: NewId }

/** `{{name}}`, as authors of prompts without a graph write variables. */
const VARIABLE = /\{\{\s*([A-Za-z_][\w.]{0,99})\s*\}\}/g

/** Runs an app that is one prompt: chat, completion, or an agent without tools. */
export async function* runModelConfig(
  { model, now, ids }: Needs,
  config: JsonObject,
  job: RunJob,
  signal: AbortSignal,
): AsyncGenerator<RunStep> {
  const startedAtMs = now()
  yield { kind: 'run_started', inputs: job.request.inputs, reason: 'initial' }
  const thoughtId = job.app.mode === 'agent-chat' ? ids() : null
  if (thoughtId !== null) yield thought(thoughtId, '')

  let [answer, usage, failure]: [string, typeof NO_USAGE, RunFailure | null] = ['', NO_USAGE, null]
  const settings = objectAt(config, 'model')
  const request = {
    model: textAt(settings, 'name') || null,
    provider: textAt(settings, 'provider'),
    messages: messagesOf(config, job),
    params: objectAt(settings, 'completion_params'),
  }
  if (request.messages.length === 0) failure = { code: 'invalid_param', message: 'The prompt is empty.' }
  else {
    try {
      for await (const chunk of untilAborted(model.stream(request, signal), signal)) {
        if (chunk.kind === 'usage') usage = chunk.usage
        if (chunk.kind !== 'text') continue
        answer += chunk.delta
        yield { kind: 'text', delta: chunk.delta, fromSelector: null }
      }
    } catch (error) {
      if (!(error instanceof ModelFailure)) throw error
      failure = error.failure
    }
  }

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
    if (thoughtId !== null) yield thought(thoughtId, answer)
    yield { kind: 'succeeded', outputs: {}, answer, retrieverResources: [], ...totals }
  }
}

function messagesOf(config: JsonObject, { app, request, history }: RunJob): readonly ModelMessage[] {
  const prompt = fillPrompt(textAt(config, 'pre_prompt'), request.inputs, request.query)
  const images = request.files.flatMap((file) =>
    file.type === 'image' && file.transferMethod === 'remote_url' ? [{ url: file.url, detail: 'high' }] : [],
  )
  const past = app.mode === 'completion' ? [] : history
  const spoken = request.query.trim() === '' ? '' : request.query
  const messages: readonly ModelMessage[] = [
    // Without a question of its own a completion is its prompt.
    { role: spoken === '' ? 'user' : 'system', text: prompt, ...(spoken === '' ? { images } : {}) },
    ...past.flatMap(({ query, answer }): ModelMessage[] => [
      { role: 'user', text: query },
      { role: 'assistant', text: answer },
    ]),
    { role: 'user', text: spoken, images },
  ]
  return messages.filter(({ text }) => text.trim() !== '')
}

/** Unknown names stay as they are: braces are common in prompts that ask for code or JSON. */
function fillPrompt(prompt: string, inputs: JsonObject, query: string): string {
  return prompt
    .replaceAll('{{#query#}}', () => query)
    .replaceAll(VARIABLE, (whole: string, name: string) => {
      if (Object.hasOwn(inputs, name)) return textOf(inputs[name])
      return name === 'query' ? query : whole
    })
}

function thought(thoughtId: string, text: string): RunStep {
  return {
    kind: 'agent_thought',
    thoughtId,
    position: 1,
    thought: text,
    observation: '',
    tool: '',
    toolLabels: {},
    toolInput: '',
    messageFiles: [],
  }
}

/** Ends when the signal does, even while a model that ignores it is still thinking. */
async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  const aborted = new Promise<{ readonly done: true }>((resolve) => {
    if (signal.aborted) resolve({ done: true })
    else signal.addEventListener('abort', () => resolve({ done: true }), { once: true })
  })
  try {
    for (;;) {
      const pending = iterator.next()
      // Whoever loses the race must not become an unhandled rejection.
      pending.catch(() => {})
      const next = await Promise.race([pending, aborted])
      if (next.done === true) return
      yield next.value
    }
  } finally {
    iterator.return?.().catch(() => {})
  }
}
