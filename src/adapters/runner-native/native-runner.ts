import type { AppCatalog } from '#application/ports/app-catalog.ts'
import type { AppRunner, RunJob } from '#application/ports/app-runner.ts'
import { type Bindings, type LoadBindings, NO_BINDINGS } from '#application/ports/bindings.ts'
import type { NewId } from '#application/ports/secrets.ts'
import { isGraphMode } from '#domain/app-mode.ts'
import { isEnding, NO_USAGE, type RunFailure, type RunStep } from '#domain/run.ts'
import { createDocuments } from './documents/documents.ts'
import { EgressFailure } from './egress/http-egress.ts'
import { failureBy } from './failures.ts'
import type { ImagesAs } from './files/stored-file.ts'
import { expectNodes } from './graph/expect-nodes.ts'
import { buildGraph } from './graph/graph.ts'
import { runGraph } from './graph/run-graph.ts'
import { makeInnerApps } from './inner-apps.ts'
import { DEFAULT_LIMITS, type RunLimits } from './limits.ts'
import { runModelConfig } from './model-config-run.ts'
import { createBoundModel, type OpenBoundModel } from './models/bound-model.ts'
import type { NodeServices } from './nodes/node-executor.ts'
import { preflightOf } from './preflight.ts'
import { createExternalKnowledge } from './retrieval/external-knowledge.ts'
import { type InnerApps, ToolFailure } from './tools/tool.ts'

/** What the runner stands on. A null `model` means that none is configured. */
export type NativeRunnerNeeds = Pick<NodeServices, 'model' | 'code' | 'templates' | 'egress' | 'now' | 'timer'> & {
  readonly ids: NewId
  /** Absent: the usual ones. */
  readonly limits?: RunLimits
  /** Absent: in the request. */
  readonly imagesAs?: ImagesAs
  /** Guarded like `egress`, for MCP servers. Absent: none can be reached. */
  readonly webFetch?: typeof fetch
  /** Where apps that others use as tools are. Absent: nowhere. */
  readonly apps?: Pick<AppCatalog, 'find' | 'definition'>
  /** Absent: no workspace bound anything. */
  readonly bound?: { readonly load: LoadBindings; readonly openModel: OpenBoundModel }
  /** Told of faults of ours; a run only says that something went wrong. */
  readonly onFault?: (error: unknown) => void
}

/** Executes imported apps in this process; their code and templates run elsewhere. */
export function createNativeRunner(needs: NativeRunnerNeeds): AppRunner {
  const { model, code, templates, egress, bound, apps, now, timer, ids, onFault = () => {} } = needs
  const retriever = createExternalKnowledge(egress)
  const documents = createDocuments({ timer })
  const { webFetch = noWeb, limits = DEFAULT_LIMITS, imagesAs = 'base64' } = needs

  async function servicesFor(workspaceId: string, inner: InnerApps, known?: Bindings): Promise<NodeServices> {
    const unbound = {
      model,
      code,
      templates,
      egress,
      webFetch,
      retriever,
      documents,
      limits,
      imagesAs,
      apps: inner,
      now,
      timer,
      bindings: NO_BINDINGS,
    }
    if (bound === undefined) return unbound
    const bindings = known ?? (await bound.load(workspaceId))
    return { ...unbound, bindings, model: createBoundModel(model, bindings, bound.openModel) }
  }

  async function* stepsOf(job: RunJob, signal: AbortSignal, depth = 0): AsyncGenerator<RunStep> {
    const inner =
      apps === undefined ? NO_APPS : makeInnerApps({ maxDepth: limits.appDepth, apps, ids, stepsOf }, job, depth)
    const services = await servicesFor(job.app.workspaceId, inner, job.bindings)
    const { workflow, modelConfig } = job.definition
    if (isGraphMode(job.app.mode)) {
      const graph = workflow === null ? null : buildGraph(workflow)
      if (workflow === null || graph === null) return yield* refused(job, UNUSABLE)
      expectNodes(graph, services, job.app.id)
      return yield* runGraph({ services, now, timer, ids, onFault }, graph, workflow, job, signal)
    }
    if (modelConfig === null) return yield* refused(job, UNUSABLE)
    if (services.model === null) return yield* refused(job, NO_MODEL)
    yield* runModelConfig({ services, model: services.model, ids }, modelConfig, job, signal)
  }

  return {
    preflight: async (app, definition, bindings) =>
      preflightOf(app, definition, await servicesFor(app.workspaceId, NO_APPS, bindings)),
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
        yield failed(failureBy(error))
      }
    },
  }
}

/** Only for runs that cannot run others. */
const NO_APPS: InnerApps = {
  describe: async () => {
    throw new ToolFailure('apps cannot be used as tools here')
  },
  run: async () => {
    throw new ToolFailure('apps cannot be used as tools here')
  },
}

const noWeb: typeof fetch = async () => {
  throw new EgressFailure('refused', 'the network cannot be reached from here')
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
