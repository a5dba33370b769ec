import type { UseCases } from '#application/use-cases.ts'
import type { AdminRequest } from './parse-command.ts'
import { type AdminReply, done, failed } from './reply.ts'

type Request = Extract<AdminRequest, { command: 'run show' }>

/** What became of a run and of each of its nodes: one line a node, or one JSON object a line. */
export async function showRun(cases: UseCases, { id, options }: Request): Promise<AdminReply> {
  const shown = await cases.showRun(id)
  if (shown === null) return failed('no run has this id')
  const { run, nodes } = shown
  const at = new Date(run.createdAtMs).toISOString()
  if (options.json) {
    const head = {
      run_id: run.id,
      app_id: run.appId,
      workspace_id: run.workspaceId,
      mode: run.mode,
      status: run.status,
      at,
      elapsed_s: run.result?.elapsedS ?? null,
      total_tokens: run.result?.usage.totalTokens ?? null,
    }
    return done([JSON.stringify(head), ...nodes.map((node) => JSON.stringify(wireTrace(node)))])
  }
  const head = `${run.id}  ${run.mode}  ${run.status}  ${at}`
  if (nodes.length === 0) return done([head, 'No node of it is traced: it has none, or they are past their time'])
  return done([head, ...nodes.flatMap(linesOf)])
}

type Node = NonNullable<Awaited<ReturnType<UseCases['showRun']>>>['nodes'][number]

function wireTrace(node: Node) {
  const { index, nodeId, nodeType, title, status, inputs, outputs, error, elapsedMs, startedAtMs, usage } = node
  return {
    index,
    node_id: nodeId,
    node_type: nodeType,
    title,
    status,
    inputs,
    outputs,
    error,
    elapsed_ms: elapsedMs,
    started_at: new Date(startedAtMs).toISOString(),
    total_tokens: usage.totalTokens,
  }
}

function linesOf({ index, nodeType, title, status, inputs, outputs, error, elapsedMs, usage }: Node): string[] {
  const tokens = usage.totalTokens === 0 ? '' : `  ${usage.totalTokens} tokens`
  // Titles and errors come from an app's author and from servers: quoted, they cannot steer a terminal.
  return [
    `${index}  ${nodeType}  ${JSON.stringify(title)}  ${status}  ${elapsedMs} ms${tokens}`,
    `   in   ${JSON.stringify(inputs)}`,
    `   out  ${JSON.stringify(outputs)}`,
    ...(error === null ? [] : [`   error ${JSON.stringify(error)}`]),
  ]
}
