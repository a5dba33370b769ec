import type { AppCatalog } from '#application/ports/app-catalog.ts'
import type { RunJob } from '#application/ports/app-runner.ts'
import type { NewId } from '#application/ports/secrets.ts'
import type { App, AppDefinition, Json, JsonObject } from '#domain/app.ts'
import { familyOf } from '#domain/app-mode.ts'
import { checkInputs, formOf } from '#domain/input-form.ts'
import { inputSchemaOf } from '#domain/input-schema.ts'
import { listAt, objectAt, textAt } from '#domain/json.ts'
import { isEnding, type RunEnding, type RunStep } from '#domain/run.ts'
import { type InnerApps, ToolFailure, type ToolOutput } from './tools/tool.ts'

type Needs = {
  /** Apps that run apps that run apps: a circle of them would never end. */
  readonly maxDepth: number
  readonly apps: Pick<AppCatalog, 'find' | 'definition'>
  readonly ids: NewId
  readonly stepsOf: (job: RunJob, signal: AbortSignal, depth: number) => AsyncIterable<RunStep>
}

/** The apps of the job's own workspace as tools. Whoever runs the outer app runs the inner one, with no conversation. */
export function makeInnerApps({ maxDepth, apps, ids, stepsOf }: Needs, outer: RunJob, depth: number): InnerApps {
  async function found(appId: string): Promise<{ readonly app: App; readonly definition: AppDefinition }> {
    const app = await apps.find(appId)
    const definition = app === null ? null : await apps.definition(appId)
    // Bound when it was in this workspace; it may have moved since.
    if (app === null || app.workspaceId !== outer.app.workspaceId || app.status !== 'normal' || definition === null) {
      throw new ToolFailure('the bound app is not there')
    }
    return { app, definition }
  }

  return {
    async describe(appId) {
      const { app, definition } = await found(appId)
      return { description: app.description || app.name, parameters: flatSchema(inputSchemaOf(app.mode, definition)) }
    },
    async run(appId, parameters, signal) {
      if (depth >= maxDepth) throw new ToolFailure(`apps run each other more than ${maxDepth} deep`)
      const { app, definition } = await found(appId)
      const form = formOf(app.mode, definition)
      const checked = form === null ? null : checkInputs(form, parameters)
      if (checked === null) throw new ToolFailure('the bound app has no usable form')
      if (!checked.ok) throw new ToolFailure(checked.issues.map(({ msg }) => msg).join('; '))
      // Nobody can be asked from within: the inner run ends with this call.
      const { pausing: _, resume: _resume, ...shared } = outer
      const job: RunJob = {
        ...shared,
        app,
        definition,
        ids: {
          taskId: ids(),
          runId: ids(),
          workflowId: definition.id,
          messageId: ids(),
          conversationId: chatId(app, ids),
        },
        request: { inputs: checked.inputs, query: textAt(parameters, 'query'), files: [] },
        history: [],
        conversationVariables: {},
        dialogueCount: 0,
        saveVariables: async () => {},
      }
      for await (const step of stepsOf(job, signal, depth + 1)) if (isEnding(step)) return outputOf(step, app)
      throw new ToolFailure('the bound app did not end')
    },
  }
}

function chatId({ mode }: App, ids: NewId): string | null {
  return familyOf(mode) === 'chat' ? ids() : null
}

function outputOf(ending: RunEnding, { mode }: App): ToolOutput {
  if (ending.kind === 'failed') throw new ToolFailure(ending.failure.message)
  if (ending.kind === 'stopped') throw new ToolFailure('the bound app was stopped')
  const { usage, outputs, answer } = ending
  if (mode !== 'workflow') return { text: answer, json: [], files: [], usage }
  return { text: JSON.stringify(outputs), json: [outputs], files: [], named: outputs, usage }
}

/** The fields of the form beside the question: a model fills in one flat object. */
function flatSchema(schema: JsonObject): JsonObject {
  const { inputs: _, ...own } = objectAt(schema, 'properties')
  const inputs = objectAt(objectAt(schema, 'properties'), 'inputs')
  const isRequired = (name: Json) => name !== 'inputs'
  return {
    type: 'object',
    properties: { ...own, ...objectAt(inputs, 'properties') },
    required: [...listAt(schema, 'required').filter(isRequired), ...listAt(inputs, 'required')],
  }
}
