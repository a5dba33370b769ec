import type { AppRunner, RunJob } from '#application/ports/app-runner.ts'
import { type LoadBindings, NO_BINDINGS } from '#application/ports/bindings.ts'
import type { Clock, Timer } from '#application/ports/clock.ts'
import type { NewId } from '#application/ports/secrets.ts'
import { isGraphMode } from '#domain/app-mode.ts'
import { isEnding, NO_USAGE, type RunFailure, type RunStep } from '#domain/run.ts'
import { SERVER_FAULT } from './failures.ts'
import { buildGraph } from './graph/graph.ts'
import { runGraph } from './graph/run-graph.ts'
import { runModelConfig } from './model-config-run.ts'
import { createBoundModel, type OpenBoundModel } from './models/bound-model.ts'
import type { NodeServices } from './nodes/node-executor.ts'
import { preflightOf } from './preflight.ts'

/** What the runner stands on. A null `model` means that none is configured. */
export type NativeRunnerNeeds = Omit<NodeServices, 'bindings'> & {
  readonly now: Clock
  readonly timer: Timer
  readonly ids: NewId
  /** Absent: no workspace bound anything. */
  readonly bound?: { readonly load: LoadBindings; readonly openModel: OpenBoundModel }
  /** Told of faults of ours; a run only says that something went wrong. */
  readonly onFault?: (error: unknown) => void
}

/** Executes imported apps in this process; their code and templates run elsewhere. */
export function createNativeRunner(needs: NativeRunnerNeeds): AppRunner {
  const { model, code, templates, egress, bound, now, timer, ids, onFault = () => {} } = needs

  async function servicesFor(workspaceId: string): Promise<NodeServices> {
    const unbound = { model, code, templates, egress, bindings: NO_BINDINGS }
    if (bound === undefined) return unbound
    const bindings = await bound.load(workspaceId)
    return { ...unbound, bindings, model: createBoundModel(model, bindings, bound.openModel) }
  }

  async function* stepsOf(job: RunJob, signal: AbortSignal): AsyncGenerator<RunStep> {
    const services = await servicesFor(job.app.workspaceId)
    const { workflow, modelConfig } = job.definition
    if (isGraphMode(job.app.mode)) {
      const graph = workflow === null ? null : buildGraph(workflow)
      if (workflow === null || graph === null) return yield* refused(job, UNUSABLE)
      return yield* runGraph({ services, now, timer, ids, onFault }, graph, workflow, job, signal)
    }
    if (modelConfig === null) return yield* refused(job, UNUSABLE)
    if (services.model === null) return yield* refused(job, NO_MODEL)
    yield* runModelConfig({ model: services.model, now, ids }, modelConfig, job, signal)
  }

  return {
    preflight: async (app, definition) => preflightOf(app, definition, await servicesFor(app.workspaceId)),
    async *run(job, signal) {
      let started = false
      try {
        for await (const step of stepsOf(job, signal)) {
          started = true
          yield step
          if (isEnding(step)) return
        }
      } catch (error) {
        onFault(error)
        if (!started) yield startOf(job)
        yield failed(SERVER_FAULT)
      }
    },
  }
}

const UNUSABLE: RunFailure = { code: 'invalid_param', message: 'The app has no usable definition.' }
const NO_MODEL: RunFailure = { code: 'provider_not_initialize', message: 'No model is configured.' }

async function* refused(job: RunJob, failure: RunFailure): AsyncGenerator<RunStep> {
  yield startOf(job)
  yield failed(failure)
}

function startOf(job: RunJob): RunStep {
  return { kind: 'run_started', inputs: job.request.inputs, reason: 'initial' }
}

function failed(failure: RunFailure): RunStep {
  const totals = { usage: NO_USAGE, totalSteps: 0, elapsedS: 0, exceptionsCount: 0 }
  return { kind: 'failed', failure, outputs: {}, answer: '', ...totals }
}
