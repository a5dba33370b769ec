import type { EntityManager } from '@mikro-orm/sql'
import type { NodeTrace, NodeTraces } from '#application/ports/node-traces.ts'
import type { TokenUsage } from '#domain/run.ts'
import { isUuid } from '#domain/uuid.ts'
import { epochMs, instant, rowsOf, storableJson, storableText } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

type FoundTrace = Omit<NodeTrace, 'usage'> & TokenUsage

/** Traces of nodes in `workflow_node_executions`. */
export function createPostgresNodeTraces(em: EntityManager): NodeTraces {
  return translateErrors<NodeTraces>({
    async add(traces) {
      const rows = traces.filter(({ runId }) => isUuid(runId)).map(rowOfTrace)
      if (rows.length === 0) return
      await rowsOf(
        em,
        `insert into workflow_node_executions (run_id, execution_id, index, node_id, node_type, title, status, inputs,
            outputs, error, elapsed_ms, started_at, prompt_tokens, completion_tokens, total_tokens)
          select given.* from jsonb_to_recordset(?::jsonb) as given (run_id uuid, execution_id text, index integer,
            node_id text, node_type text, title text, status text, inputs jsonb, outputs jsonb, error text,
            elapsed_ms bigint, started_at timestamptz, prompt_tokens integer, completion_tokens integer,
            total_tokens integer)
            where exists (select from workflow_runs where id = given.run_id)
          on conflict do nothing`,
        [JSON.stringify(rows)],
      )
    },

    async list(runId, limit) {
      if (!isUuid(runId)) return []
      const found = await rowsOf<FoundTrace>(
        em,
        `select run_id as "runId", execution_id as "executionId", index, node_id as "nodeId",
            node_type as "nodeType", title, status, inputs, outputs, error, elapsed_ms::float8 as "elapsedMs",
            ${epochMs('started_at', 'startedAtMs')}, prompt_tokens as "promptTokens",
            completion_tokens as "completionTokens", total_tokens as "totalTokens"
          from workflow_node_executions where run_id = ? order by index, execution_id limit ?`,
        [runId, limit],
      )
      return found.map(({ promptTokens, completionTokens, totalTokens, ...trace }) => ({
        ...trace,
        usage: { promptTokens, completionTokens, totalTokens },
      }))
    },

    async forget(cutoffMs, limit) {
      const gone = await rowsOf(
        em,
        `delete from workflow_node_executions where (run_id, execution_id) in (
            select run_id, execution_id from workflow_node_executions where started_at < ?
              order by started_at limit ? for update skip locked
          ) returning 1 as gone`,
        [instant(cutoffMs), limit],
      )
      return gone.length
    },
  })
}

function rowOfTrace(trace: NodeTrace) {
  return {
    run_id: trace.runId,
    execution_id: text(trace.executionId),
    index: trace.index,
    node_id: text(trace.nodeId),
    node_type: text(trace.nodeType),
    title: text(trace.title),
    status: trace.status,
    inputs: storableJson(trace.inputs),
    outputs: storableJson(trace.outputs),
    error: trace.error === null ? null : text(trace.error),
    elapsed_ms: Math.round(trace.elapsedMs),
    started_at: instant(trace.startedAtMs),
    prompt_tokens: trace.usage.promptTokens,
    completion_tokens: trace.usage.completionTokens,
    total_tokens: trace.usage.totalTokens,
  }
}

function text(value: string): string {
  return storableText(value).toWellFormed()
}
