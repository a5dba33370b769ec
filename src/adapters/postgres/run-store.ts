import type { EntityManager } from '@mikro-orm/sql'
import type { RunRecord, RunStatus, RunStore, StoredRun } from '#application/ports/run-store.ts'
import type { JsonObject } from '#domain/app.ts'
import { isUuid } from '#domain/uuid.ts'
import { RunRow } from './schema.ts'
import { epochMs, instant, rowOf, rowsOf, storableJson, storableText } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

type FoundRun = Omit<RunRecord, 'owner'> & {
  readonly ownerKind: RunRecord['owner']['kind']
  readonly ownerId: string
  readonly outputs: JsonObject | null
  readonly error: string | null
  readonly promptTokens: number
  readonly completionTokens: number
  readonly totalTokens: number
  readonly totalSteps: number
  readonly exceptionsCount: number
  readonly elapsedS: number
  readonly finishedAtMs: number | null
  readonly answer: string | null
}

const SELECT = `select id, task_id as "taskId", tenant_id as "workspaceId", app_id as "appId",
    workflow_id as "workflowId", message_id as "messageId", conversation_id as "conversationId", mode, owner_kind as "ownerKind", owner_id as "ownerId",
    created_from as "createdFrom", status, inputs, outputs, error, prompt_tokens as "promptTokens",
    completion_tokens as "completionTokens", total_tokens as "totalTokens", total_steps as "totalSteps",
    exceptions_count as "exceptionsCount", elapsed_s as "elapsedS",
    (select answer from messages where messages.id = workflow_runs.message_id) as answer,
    ${epochMs('created_at', 'createdAtMs')}, ${epochMs('finished_at', 'finishedAtMs')}
  from workflow_runs`

/** Statuses that an ending may still replace. */
const OPEN: readonly RunStatus[] = ['running', 'paused']

/** Runs in `workflow_runs`. */
export function createPostgresRunStore(em: EntityManager): RunStore {
  return translateErrors<RunStore>({
    async start(run) {
      await em.insert(RunRow, {
        id: run.id,
        taskId: run.taskId,
        tenantId: run.workspaceId,
        appId: run.appId,
        workflowId: run.workflowId,
        messageId: run.messageId,
        conversationId: run.conversationId,
        mode: run.mode,
        ownerKind: run.owner.kind,
        ownerId: run.owner.id,
        createdFrom: run.createdFrom,
        status: run.status,
        inputs: storableJson(run.inputs),
        outputs: null,
        error: null,
        finishedAt: null,
        createdAt: new Date(run.createdAtMs),
      })
    },

    async finish(runId, result) {
      if (!isUuid(runId)) return false
      const won = await em.nativeUpdate(
        RunRow,
        { id: runId, status: { $in: [...OPEN] } },
        {
          status: result.status,
          outputs: storableJson(result.outputs),
          error: result.error === null ? null : storableText(result.error),
          ...result.usage,
          totalSteps: result.totalSteps,
          exceptionsCount: result.exceptionsCount,
          elapsedS: result.elapsedS,
          finishedAt: new Date(result.finishedAtMs),
        },
      )
      return won === 1
    },

    async renew(runIds) {
      const renewed = await rowsOf<{ id: string }>(
        em,
        `update workflow_runs set heard_at = now() 
          where id = any(?::uuid[]) and status in ('running', 'paused') returning id`,
        [`{${runIds.filter(isUuid).join(',')}}`],
      )
      return renewed.map(({ id }) => id)
    },

    async endAbandoned(atMs, silentMs) {
      const ended = await rowsOf<{ id: string }>(
        em,
        `update workflow_runs set status = 'stopped', outputs = '{}', finished_at = ?::timestamptz,
            elapsed_s = greatest(0, extract(epoch from ?::timestamptz - created_at))
          where status = 'running' and (?::bigint is null or heard_at <= now() - ?::bigint * interval '1 millisecond')
          returning id`,
        [instant(atMs), instant(atMs), silentMs, silentMs],
      )
      return ended.map(({ id }) => id)
    },

    async find(id) {
      return isUuid(id) ? toDomain(await rowOf<FoundRun>(em, `${SELECT} where id = ? or task_id = ?`, [id, id])) : null
    },
  })
}

function toDomain(row: FoundRun | null): StoredRun | null {
  if (row === null) return null
  const { ownerKind, ownerId, outputs, error, finishedAtMs, ...rest } = row
  const { promptTokens, completionTokens, totalTokens, totalSteps, exceptionsCount, elapsedS, ...run } = rest
  const result =
    run.status === 'running' || finishedAtMs === null
      ? null
      : {
          status: run.status,
          outputs: outputs ?? {},
          error,
          usage: { promptTokens, completionTokens, totalTokens },
          totalSteps,
          exceptionsCount,
          elapsedS,
          finishedAtMs,
        }
  return { ...run, owner: { kind: ownerKind, id: ownerId }, result }
}
