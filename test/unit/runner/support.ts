import type { CodeRunner, TemplateRenderer } from '#adapters/runner-native/code/code-runner.ts'
import type { HttpEgress } from '#adapters/runner-native/egress/http-egress.ts'
import { type ModelClient, ModelFailure, type ModelRequest } from '#adapters/runner-native/models/model-client.ts'
import { createScriptedModel } from '#adapters/runner-native/models/scripted.ts'
import { createNativeRunner, type NativeRunnerNeeds } from '#adapters/runner-native/native-runner.ts'
import { renderPlain } from '#adapters/runner-native/templates/plain-template.ts'
import type { RunJob } from '#application/ports/app-runner.ts'
import type { Timer } from '#application/ports/clock.ts'
import type { App, AppDefinition, Json, JsonObject } from '#domain/app.ts'
import type { AppMode } from '#domain/app-mode.ts'
import type { RunEnding, RunStep } from '#domain/run.ts'
import { isEnding } from '#domain/run.ts'

export function aDefinition(parts: Partial<AppDefinition>): AppDefinition {
  return {
    id: 'def',
    appId: 'app',
    kind: 'published',
    dslVersion: '0.3.1',
    workflow: null,
    modelConfig: null,
    ...parts,
  }
}

export function anApp(mode: AppMode): App {
  return {
    id: 'app',
    workspaceId: 'workspace',
    workspaceName: 'Workspace',
    workspaceStatus: 'normal',
    name: 'App',
    description: '',
    mode,
    status: 'normal',
    apiEnabled: true,
    accessMode: null,
    tags: [],
    authorName: null,
    updatedAtMs: 0,
  }
}

export type JobParts = Partial<Omit<RunJob, 'request'>> & { readonly inputs?: JsonObject; readonly query?: string }

export function aJob(mode: AppMode, definition: Partial<AppDefinition>, parts: JobParts = {}): RunJob {
  const { inputs = {}, query = '', ...rest } = parts
  return {
    app: anApp(mode),
    definition: aDefinition(definition),
    ids: { taskId: 'task', runId: 'run', workflowId: 'workflow', messageId: 'message', conversationId: 'conversation' },
    request: { inputs, query, files: [] },
    invokeFrom: 'openapi',
    callerId: 'caller',
    history: [],
    conversationVariables: {},
    dialogueCount: 0,
    saveVariables: async () => {},
    ...rest,
  }
}

/** Time that moves when told. */
export function aTimer(): {
  readonly timer: Timer
  readonly waiting: () => readonly number[]
  fire(delayMs: number): void
} {
  const pending = new Map<() => void, number>()
  return {
    timer(delayMs, fire) {
      const entry = () => fire()
      pending.set(entry, delayMs)
      return () => {
        pending.delete(entry)
      }
    },
    waiting: () => [...pending.values()],
    fire(delayMs) {
      for (const [entry, waits] of [...pending]) {
        if (waits !== delayMs) continue
        pending.delete(entry)
        entry()
      }
    },
  }
}

/** Code as a table from its text to what it does; an unknown text fails. */
export function codeTable(table: Readonly<Record<string, (inputs: JsonObject) => Json | Promise<Json>>>): CodeRunner {
  return {
    ...noPython,
    async runJavaScript(code, inputs) {
      const main = table[code]
      return main === undefined ? { ok: false, error: `boom: ${code}` } : { ok: true, value: await main(inputs) }
    },
  }
}

/** Code that nothing here runs. */
export const noPython: Pick<CodeRunner, 'runPython' | 'expectPython'> = {
  expectPython: () => {},
  runPython: async () => ({ ok: false, error: 'no Python here' }),
}

export const plainTemplates: TemplateRenderer = {
  expect: () => {},
  async render(template, variables) {
    const value = renderPlain(template, variables)
    return value === null ? { ok: false, error: 'not a plain template' } : { ok: true, value }
  },
}

/** A model that keeps what it was asked. */
export function aSpyModel(
  reply: (request: ModelRequest) => readonly string[],
): ModelClient & { readonly asked: ModelRequest[] } {
  const asked: ModelRequest[] = []
  return {
    asked,
    canRun: () => true,
    async *stream(request) {
      asked.push(request)
      for (const delta of reply(request)) yield { kind: 'text', delta }
      yield { kind: 'finish', reason: 'stop' }
      yield { kind: 'usage', usage: { promptTokens: 2, completionTokens: 3, totalTokens: 5 } }
    },
  }
}

export function aBrokenModel(afterDeltas: number): ModelClient {
  return {
    canRun: () => true,
    async *stream() {
      for (let at = 0; at < afterDeltas; at++) yield { kind: 'text', delta: `part${at} ` }
      throw new ModelFailure({ code: 'rate_limit_error', message: 'The model is busy.', retryAfterMs: 2000 })
    },
  }
}

export function aRunner(parts: Partial<NativeRunnerNeeds> = {}) {
  let ids = 0
  const egress: HttpEgress = {
    request: async () => {
      throw new Error('nothing here asks the outside')
    },
  }
  const { timer } = aTimer()
  return createNativeRunner({
    model: createScriptedModel(0, timer),
    code: codeTable({}),
    templates: plainTemplates,
    egress,
    now: () => 1_700_000_000_000,
    timer,
    ids: () => `id-${++ids}`,
    onFault: (error) => {
      throw error
    },
    ...parts,
  })
}

export type Outcome = {
  readonly steps: readonly RunStep[]
  readonly ending: RunEnding
  readonly text: string
  /** `kind:node` of everything but text. */
  readonly path: readonly string[]
}

export async function outcomeOf(steps: AsyncIterable<RunStep>): Promise<Outcome> {
  const all: RunStep[] = []
  for await (const step of steps) all.push(step)
  const endings = all.filter(isEnding)
  const ending = all.at(-1)
  if (endings.length !== 1 || ending === undefined || !isEnding(ending)) throw new Error('a run ends once, last')
  const told = all.filter((step) => step.kind === 'text')
  return {
    steps: all,
    ending,
    text: told.map(({ delta }) => delta).join(''),
    path: all
      .filter(({ kind }) => kind !== 'text')
      .map((step) => ('nodeId' in step ? `${step.kind}:${step.nodeId}` : step.kind)),
  }
}

export function run(
  job: RunJob,
  parts: Partial<NativeRunnerNeeds> = {},
  signal = new AbortController().signal,
): Promise<Outcome> {
  return outcomeOf(aRunner(parts).run(job, signal))
}
