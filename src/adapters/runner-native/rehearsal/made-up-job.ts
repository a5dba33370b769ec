import type { RunJob } from '#application/ports/app-runner.ts'
import type { ReadDsl } from '#application/ports/dsl-files.ts'
import type { App, AppDefinition, JsonObject } from '#domain/app.ts'
import { familyOf } from '#domain/app-mode.ts'
import { objectAt } from '#domain/json.ts'
import { madeUpFiles } from './made-up-inputs.ts'
import type { Script } from './script.ts'

const APP_ID = '00000000-0000-4000-8000-000000000001'

/** The job of a first run of the app, by nobody in particular; unless it is a workflow it is asked the script's words. */
export function madeUpJob(
  app: App,
  definition: AppDefinition,
  inputs: JsonObject,
  script: Script,
  readsDocuments: boolean,
): RunJob {
  return {
    app,
    definition,
    ids: {
      taskId: crypto.randomUUID(),
      runId: crypto.randomUUID(),
      workflowId: definition.id,
      messageId: crypto.randomUUID(),
      conversationId: familyOf(app.mode) === 'chat' ? crypto.randomUUID() : null,
    },
    request: {
      inputs,
      query: familyOf(app.mode) === 'workflow' ? '' : script.words,
      files: madeUpFiles(featuresOf(definition), script, readsDocuments),
    },
    invokeFrom: 'openapi',
    callerId: 'rehearsal',
    history: [],
    conversationVariables: {},
    dialogueCount: 0,
    saveVariables: async () => {},
  }
}

/** The app that the file describes, in a workspace of its own. */
export function madeUpApp({ name, description, mode }: ReadDsl): App {
  return {
    id: APP_ID,
    workspaceId: '00000000-0000-4000-8000-000000000002',
    workspaceName: 'Rehearsal',
    workspaceStatus: 'normal',
    name,
    description,
    mode,
    status: 'normal',
    apiEnabled: true,
    accessMode: null,
    tags: [],
    authorName: null,
    updatedAtMs: 0,
  }
}

/** What the file holds, as if it were published. */
export function madeUpDefinition({ version, workflow, modelConfig }: ReadDsl): AppDefinition {
  return { id: crypto.randomUUID(), appId: APP_ID, kind: 'published', dslVersion: version, workflow, modelConfig }
}

function featuresOf({ workflow, modelConfig }: AppDefinition): JsonObject {
  return workflow === null ? (modelConfig ?? {}) : objectAt(workflow, 'features')
}
