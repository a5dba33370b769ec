import * as v from 'valibot'
import type { Mounted } from '#application/auth/pipeline.ts'
import type { RunInput } from '#application/use-cases/check-run.ts'
import type { JsonObject } from '#domain/app.ts'
import { isGraphMode } from '#domain/app-mode.ts'
import { DomainError } from '#domain/errors.ts'
import { isUuid } from '#domain/uuid.ts'
import { runExamples } from '../examples/runs.ts'
import { type Route, route } from '../route.ts'
import { metadata, pausedEntries, runStatus } from '../run-event-schemas.ts'
import { eventsOf } from '../run-events.ts'
import { replyOf } from '../run-reply.ts'
import { bearerErrors } from './bearer-errors.ts'

/** The app and the operator mostly allow fewer. */
const MAX_FILES = 100
const TransferMethod = v.picklist(['remote_url', 'local_file', 'tool_file'])

const File = v.object({
  type: v.pipe(v.string(), v.minLength(1), v.maxLength(32)),
  transfer_method: TransferMethod,
  url: v.optional(v.pipe(v.string(), v.maxLength(4096))),
  upload_file_id: v.optional(v.pipe(v.string(), v.maxLength(64))),
})

const RunBody = v.object({
  inputs: v.custom<JsonObject>(isObject, 'must be an object'),
  query: v.optional(v.nullable(v.string())),
  response_mode: v.optional(v.picklist(['blocking', 'streaming'])),
  conversation_id: v.optional(
    v.nullable(
      v.pipe(
        v.string(),
        v.trim(),
        v.check((id) => id === '' || isUuid(id), 'must be a UUID'),
      ),
    ),
  ),
  files: v.optional(v.nullable(v.pipe(v.array(File), v.maxLength(MAX_FILES)))),
  auto_generate_name: v.optional(v.boolean(), true),
  workflow_id: v.optional(v.nullable(v.string())),
})

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const MessageReply = v.strictObject({
  event: v.literal('message'),
  task_id: v.string(),
  id: v.string(),
  message_id: v.string(),
  conversation_id: v.optional(v.nullable(v.string())),
  mode: v.string(),
  answer: v.string(),
  metadata,
  created_at: v.number(),
})

const WorkflowReply = v.strictObject({
  workflow_run_id: v.string(),
  task_id: v.string(),
  mode: v.literal('workflow'),
  data: v.strictObject({
    id: v.string(),
    workflow_id: v.string(),
    status: runStatus,
    outputs: v.record(v.string(), v.unknown()),
    error: v.nullable(v.string()),
    elapsed_time: v.number(),
    total_tokens: v.number(),
    total_steps: v.number(),
    created_at: v.number(),
    finished_at: v.nullable(v.number()),
    paused_nodes: v.optional(pausedEntries.paused_nodes),
    reasons: v.optional(pausedEntries.reasons),
  }),
})

/** A chat that waits for people. */
const PausedReply = v.strictObject({
  event: v.literal('workflow_paused'),
  task_id: v.string(),
  workflow_run_id: v.string(),
  message_id: v.string(),
  conversation_id: v.nullable(v.string()),
  mode: v.string(),
  data: v.strictObject({ id: v.string(), workflow_id: v.string(), ...pausedEntries, created_at: v.number() }),
})

export const appErrors = [
  ...bearerErrors,
  'insufficient_scope',
  'app_not_found',
  'service_api_disabled',
  'workspace_unavailable',
  'workspace_membership_revoked',
  'subject_no_app_access',
  'access_check_failed',
  'caller_not_mounted',
] as const

const run = route({
  method: 'post',
  path: '/apps/:id/run',
  summary: 'Run an app, blocking or as an event stream',
  access: { kind: 'app', scope: 'apps:run' },
  missing: 'app_not_found',
  body: RunBody,
  reply: v.union([MessageReply, WorkflowReply, PausedReply]),
  streams: true,
  example: runExamples.run,
  errors: [
    ...appErrors,
    'invalid_input',
    'invalid_json',
    'unsupported_media_type',
    'payload_too_large',
    'mode_not_runnable',
    'query_required_for_chat',
    'query_not_supported_for_workflow',
    'conversation_not_found',
    'conversation_completed',
    'workflow_not_found',
    'workflow_unusable',
    'app_unavailable',
    'app_not_runnable',
    'provider_not_initialize',
    'provider_quota_exceeded',
    'model_currently_not_support',
    'completion_request_error',
    'invalid_param',
    'upstream_failed',
    'rate_limit_error',
  ],
  handle: async ({ body }, admitted, cases, { prefersEventStream, onHangUp }) => {
    const streaming = body.response_mode === undefined ? prefersEventStream : body.response_mode === 'streaming'
    const gone = new AbortController()
    onHangUp(() => gone.abort())
    const started = await cases.runApp(admitted, inputOf(body, admitted), gone.signal)
    if (!streaming) return replyOf(started)
    const events = eventsOf(started, authorOf(admitted))
    return { kind: 'event-stream', events, pingAtOnce: isGraphMode(started.mode) }
  },
})

function inputOf(body: v.InferOutput<typeof RunBody>, { app }: Mounted): RunInput {
  const workflowId = isGraphMode(app.mode) ? (body.workflow_id ?? null) : null
  if (workflowId !== null && !isUuid(workflowId)) {
    throw new DomainError('workflow_unusable', { message: 'workflow_id must be a UUID' })
  }
  return {
    inputs: body.inputs,
    query: body.query ?? null,
    conversationId: body.conversation_id || null,
    files: (body.files ?? []).map(({ url = null, upload_file_id = null, ...file }) => ({
      ...file,
      url,
      upload_file_id,
    })),
    autoGenerateName: body.auto_generate_name,
    workflowId,
  }
}

/** Who an app's run says it was made by. */
export function authorOf({ context, caller }: Mounted) {
  return { id: caller.owner.id, name: context.account?.name ?? context.subject.email, email: context.subject.email }
}

/** Running apps. */
export const runRoutes: readonly Route[] = [run]
