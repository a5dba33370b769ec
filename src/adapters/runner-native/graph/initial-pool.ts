import type { RunJob } from '#application/ports/app-runner.ts'
import type { JsonObject } from '#domain/app.ts'
import { familyOf } from '#domain/app-mode.ts'
import { fileVariable } from '#domain/given-file.ts'
import { objectsAt, textAt } from '#domain/json.ts'
import { linked } from '../files/linked.ts'
import type { VariablePool } from './variable-pool.ts'

/** The variables that exist before the first node runs. */
export function initialPool(workflow: JsonObject, job: RunJob, nowMs: number): VariablePool {
  return {
    sys: systemVariables(job, nowMs),
    env: defaultsOf(workflow, 'environment_variables'),
    conversation: { ...defaultsOf(workflow, 'conversation_variables'), ...job.conversationVariables },
  }
}

/** What `run_started` says the run began with: the conversation is named elsewhere. */
export function startInputs(pool: VariablePool, inputs: JsonObject): JsonObject {
  const system = Object.entries(pool.sys ?? {}).filter(([name]) => name !== 'conversation_id')
  return { ...inputs, ...Object.fromEntries(system.map(([name, value]) => [`sys.${name}`, value])) }
}

function systemVariables(job: RunJob, nowMs: number): JsonObject {
  const { app, ids, request, callerId, dialogueCount } = job
  const common = {
    user_id: callerId,
    app_id: app.id,
    workflow_id: ids.workflowId,
    workflow_run_id: ids.runId,
    files: request.files.map((file) => linked(fileVariable(file), job)),
    timestamp: Math.floor(nowMs / 1000),
  }
  if (familyOf(app.mode) !== 'chat') return common
  return { ...common, query: request.query, conversation_id: ids.conversationId, dialogue_count: dialogueCount + 1 }
}

function defaultsOf(workflow: JsonObject, key: string): JsonObject {
  return Object.fromEntries(objectsAt(workflow, key).map((entry) => [textAt(entry, 'name'), entry.value ?? null]))
}
