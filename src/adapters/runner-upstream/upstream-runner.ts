import { createHmac } from 'node:crypto'
import type { AppRunner, Preflight, RunJob } from '#application/ports/app-runner.ts'
import type { LoadBindings } from '#application/ports/bindings.ts'
import type { Clock } from '#application/ports/clock.ts'
import type { NewId } from '#application/ports/secrets.ts'
import type { App, Json, JsonObject } from '#domain/app.ts'
import { familyOf, isGraphMode } from '#domain/app-mode.ts'
import { fileVariable } from '#domain/given-file.ts'
import { textAt } from '#domain/json.ts'
import { isEnding, NO_USAGE, type RunFailure, type RunStep } from '#domain/run.ts'
import type { Place, ServiceApi } from './service-api.ts'
import { swapFiles } from './swap-files.ts'
import { makeTeller } from './told-steps.ts'
import { CHECK_KEY, UpstreamFailure, upstreamFailed } from './upstream-failure.ts'

export type UpstreamNeeds = {
  /** Runs whatever is not bound to another server. */
  readonly native: AppRunner
  readonly api: ServiceApi
  readonly load: LoadBindings
  readonly now: Clock
  readonly ids: NewId
  readonly onFault: (error: unknown) => void
}

/** Where a conversation keeps what the other server calls it; no variable of an app can have a dot in its name. */
const THEIR_CONVERSATION = 'upstream.conversation_id'
const SERVER_FAULT: RunFailure = {
  code: 'internal_server_error',
  message: 'The run failed because of a fault in the server.',
}

/** Runs apps that are bound to another server there, and all others as before. */
export function createUpstreamRunner({ native, api, load, now, ids, onFault }: UpstreamNeeds): AppRunner {
  async function* follow(job: RunJob, place: Place, signal: AbortSignal): AsyncGenerator<RunStep> {
    const { app, request } = job
    const startedAtMs = now()
    const elapsedS = () => (now() - startedAtMs) / 1000
    const teller = makeTeller({ mode: app.mode, inputs: request.inputs, key: place.key, newId: ids, elapsedS })
    const user = userOf(job.callerId, place)
    const totals = () => ({ usage: NO_USAGE, totalSteps: 0, elapsedS: elapsedS(), exceptionsCount: 0 })
    let kept: string | null = conversationOf(job)
    try {
      if (!isGraphMode(app.mode)) {
        yield { kind: 'run_started', inputs: request.inputs, reason: 'initial' }
      }
      const events = await api.stream(place, PATHS[app.mode] ?? '', await bodyOf(job, place, user), signal)
      for await (const event of events) {
        for (const step of teller.steps(event)) {
          yield step
          // Only now does the conversation exist here: its first step creates it.
          const { conversationId } = teller.names()
          if (conversationId === null || conversationId === kept || step.kind === 'run_started') continue
          kept = conversationId
          await job.saveVariables({ [THEIR_CONVERSATION]: conversationId })
        }
        if (teller.isOver()) break
      }
      const ending = teller.ending()
      if (ending === null) throw upstreamFailed('The server of the app ended the answer before it was complete.')
      yield ending
    } catch (error) {
      // Whatever happened here, nobody reads on there. Not waited for: a server that hangs would hang here again.
      void stop(job, place, user, teller.names().taskId)
      if (signal.aborted) {
        yield { kind: 'stopped', reason: String(signal.reason), outputs: {}, answer: teller.answer(), ...totals() }
        return
      }
      if (!(error instanceof UpstreamFailure)) onFault(error)
      const failure = error instanceof UpstreamFailure ? error.failure : SERVER_FAULT
      yield { kind: 'failed', failure, outputs: {}, answer: teller.answer(), ...totals() }
    }
  }

  async function bodyOf(job: RunJob, place: Place, user: string): Promise<JsonObject> {
    const { app, request } = job
    const swap = (file: JsonObject) => fileThere(job, place, user, file)
    const inputs = await swapFiles(Object.values(request.inputs), swap)
    const names = Object.keys(request.inputs)
    const files = await swapFiles(request.files.map(fileVariable), swap)
    const common = {
      inputs: Object.fromEntries(names.map((name, at) => [name, (inputs as readonly Json[])[at] ?? null])),
      response_mode: 'streaming',
      user,
      ...(request.files.length === 0 ? {} : { files }),
    }
    if (app.mode === 'workflow') return common
    const asked = { ...common, query: request.query }
    const conversation = conversationOf(job)
    return familyOf(app.mode) === 'completion'
      ? asked
      : { ...asked, conversation_id: conversation ?? '', auto_generate_name: false }
  }

  /** A file as the other server takes it: uploads of the caller's go there first, and only to the app's own server. */
  async function fileThere(job: RunJob, place: Place, user: string, file: JsonObject): Promise<JsonObject> {
    const type = textAt(file, 'type')
    if (textAt(file, 'transfer_method') === 'remote_url') {
      return { type, transfer_method: 'remote_url', url: textAt(file, 'url') || textAt(file, 'remote_url') }
    }
    const id = textAt(file, 'related_id') || textAt(file, 'upload_file_id')
    const [stored, bytes] = await Promise.all([job.files?.find(id), job.files?.read(id)])
    if (!stored || !bytes) {
      throw new UpstreamFailure({ code: 'invalid_param', message: 'A file of the request is not there any more.' })
    }
    const { name, mimeType } = stored
    return {
      type,
      transfer_method: 'local_file',
      upload_file_id: await api.upload(place, { name, mimeType, bytes }, user),
    }
  }

  /** As well as it can be: who cannot be reached goes on without us. */
  async function stop(job: RunJob, place: Place, user: string, taskId: string | null): Promise<void> {
    const path = STOPS[job.app.mode]
    if (taskId === null || path === undefined) return
    await api.post(place, path.replace('TASK', encodeURIComponent(taskId)), { user }).catch(() => {})
  }

  return {
    async preflight(app, definition, known) {
      const bindings = known ?? (await load(app.workspaceId))
      const bound = bindings.app(app.id)
      if (bound === null) return native.preflight(app, definition, bindings)
      return bound.key === null ? noKey(app) : { ok: true }
    },

    async *run(job, signal) {
      const bindings = job.bindings ?? (await load(job.app.workspaceId))
      const bound = bindings.app(job.app.id)
      if (bound === null) return yield* native.run({ ...job, bindings }, signal)
      // The preflight has said so; it was lost since.
      if (bound.key === null) return yield unreadable()
      for await (const step of follow(job, { url: bound.url, key: bound.key }, signal)) {
        yield step
        if (isEnding(step)) return
      }
    },
  }
}

const PATHS: Readonly<Partial<Record<App['mode'], string>>> = {
  chat: '/chat-messages',
  'agent-chat': '/chat-messages',
  'advanced-chat': '/chat-messages',
  completion: '/completion-messages',
  workflow: '/workflows/run',
}
const STOPS: Readonly<Partial<Record<App['mode'], string>>> = {
  chat: '/chat-messages/TASK/stop',
  'agent-chat': '/chat-messages/TASK/stop',
  'advanced-chat': '/chat-messages/TASK/stop',
  completion: '/completion-messages/TASK/stop',
  workflow: '/workflows/tasks/TASK/stop',
}

function conversationOf({ conversationVariables }: RunJob): string | null {
  const known = conversationVariables[THEIR_CONVERSATION]
  return typeof known === 'string' && known !== '' ? known : null
}

/**
 * A name for the caller that the other server can keep conversations by: the same each time, another for each key, and
 * no way back to the person.
 */
function userOf(callerId: string, { key }: Place): string {
  return `latchkey-${createHmac('sha256', key).update(callerId).digest('hex').slice(0, 32)}`
}

function unreadable(): RunStep {
  const failure: RunFailure = {
    code: 'upstream_failed',
    message: 'The key of the app cannot be read.',
    hint: CHECK_KEY,
  }
  return {
    kind: 'failed',
    failure,
    outputs: {},
    answer: '',
    usage: NO_USAGE,
    totalSteps: 0,
    elapsedS: 0,
    exceptionsCount: 0,
  }
}

function noKey({ name, id }: App): Preflight {
  const issue = {
    node: id,
    title: name,
    reason: 'it runs on another server, whose key cannot be read here any more',
    fix: `latchkey app bind-upstream ${id} --url … --key-stdin`,
  }
  return { ok: false, reason: 'nodes', issues: [issue] }
}
