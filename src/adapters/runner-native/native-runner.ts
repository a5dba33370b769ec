import type { AppRunner, RunJob } from '#application/ports/app-runner.ts'
import type { Clock, Timer } from '#application/ports/clock.ts'
import type { NewId } from '#application/ports/secrets.ts'
import { isGraphMode } from '#domain/app-mode.ts'
import { isEnding, NO_USAGE, type RunFailure, type RunStep } from '#domain/run.ts'
import { SERVER_FAULT } from './failures.ts'
import { buildGraph } from './graph/graph.ts'
import { runGraph } from './graph/run-graph.ts'
import { runModelConfig } from './model-config-run.ts'
import type { NodeServices } from './nodes/node-executor.ts'
import { preflightOf } from './preflight.ts'

/** What the runner stands on. A null `model` means that none is configured. */
export type NativeRunnerNeeds = NodeServices & {
  readonly now: Clock
  readonly timer: Timer
  readonly ids: NewId
  /** Told of faults of ours; a run only says that something went wrong. */
  readonly onFault?: (error: unknown) => void
}

/** Executes imported apps in this process; their code and templates run elsewhere. */
export function createNativeRunner(needs: NativeRunnerNeeds): AppRunner {
  const { model, code, templates, egress, now, timer, ids, onFault = () => {} } = needs
  const services: NodeServices = { model, code, templates, egress }

  function stepsOf(job: RunJob, signal: AbortSignal): AsyncIterable<RunStep> {
    const { workflow, modelConfig } = job.definition
    if (isGraphMode(job.app.mode)) {
      const graph = workflow === null ? null : buildGraph(workflow)
      if (workflow === null || graph === null) return refused(job, UNUSABLE)
      return runGraph({ services, now, timer, ids, onFault }, graph, workflow, job, signal)
    }
    if (modelConfig === null) return refused(job, UNUSABLE)
    if (model === null) return refused(job, NO_MODEL)
    return runModelConfig({ model, now, ids }, modelConfig, job, signal)
  }

  return {
    preflight: async (app, definition) => preflightOf(app, definition, services),
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
