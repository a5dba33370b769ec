import { newId } from '#adapters/crypto/ids.ts'
import { createSandbox } from '#adapters/runner-native/code/sandbox.ts'
import { createFetchFile } from '#adapters/runner-native/dsl/fetch-file.ts'
import { createGuardedEgress } from '#adapters/runner-native/egress/guarded-egress.ts'
import { createGuardedFetch } from '#adapters/runner-native/egress/guarded-fetch.ts'
import { boundedModel } from '#adapters/runner-native/models/bounded-model.ts'
import { createChatEndpoint, loadClient } from '#adapters/runner-native/models/chat-endpoint.ts'
import type { ModelClient } from '#adapters/runner-native/models/model-client.ts'
import { type ModelCall, observedModel } from '#adapters/runner-native/models/observed-model.ts'
import { isEndpoint, openModel } from '#adapters/runner-native/models/open-model.ts'
import { createRefusedFormats } from '#adapters/runner-native/models/refused-formats.ts'
import { createNativeRunner } from '#adapters/runner-native/native-runner.ts'
import { createLiveDefinition } from '#adapters/runner-upstream/live-definition.ts'
import { createServiceApi } from '#adapters/runner-upstream/service-api.ts'
import { createUpstreamRunner } from '#adapters/runner-upstream/upstream-runner.ts'
import type { Metrics } from '#adapters/telemetry/metrics.ts'
import { tracedRunner } from '#adapters/telemetry/traced-runner.ts'
import type { AppCatalog } from '#application/ports/app-catalog.ts'
import type { AppRunner } from '#application/ports/app-runner.ts'
import type { LoadBindings } from '#application/ports/bindings.ts'
import type { FetchFile } from '#application/ports/fetch-file.ts'
import type { LiveDefinition } from '#application/ports/live-definition.ts'
import type { Log } from '#application/ports/log.ts'
import type { Tracer } from '#application/ports/tracer.ts'
import { now, timer } from './clock.ts'
import type { Config } from './config.ts'
import { withTraceparent } from './tracing.ts'

/** Nobody is told of calls and runs where `metrics` and `tracer` are null. */
type Watching = { readonly metrics: Metrics | null; readonly tracer: Tracer | null }

type Needs = Watching & { apps: AppCatalog; load: LoadBindings; log: Log }

/** What runs apps and asks others for them; `close` ends the children that code ran in. */
export type OpenedRunner = {
  readonly ports: { readonly runner: AppRunner; readonly liveDefinition: LiveDefinition; readonly fetchFile: FetchFile }
  /** What a scrape may read. */
  readonly watched: { readonly sandboxes: ReturnType<typeof createSandbox>['state'] }
  /** Loads what the first run would otherwise wait for. */
  prepare(): Promise<void>
  close(): Promise<void>
}

/** Runs apps here, or on the server that a workspace bound them to. */
export function openRunner(config: Config, { apps, load, log, metrics, tracer }: Needs): OpenedRunner {
  const { limits } = config
  const observed = makeObserved(limits.answerChars, { metrics, tracer })
  const toModels = (way: typeof fetch) => (tracer === null ? way : withTraceparent(tracer, way))
  const refused = createRefusedFormats()
  const configured = openModel(config.model, timer, toModels(fetch), refused)
  const sandbox = createSandbox({ timer, timeoutMs: limits.codeSeconds * 1000, maxRendered: limits.templateChars })
  const egress = createGuardedEgress({ rules: config.egress, timer })
  const guardedFetch = createGuardedFetch({ rules: config.egress })
  const onFault = (error: unknown) => log.error('run fault', { error })
  const api = createServiceApi({ fetch: toModels(guardedFetch), timer })
  const native = createNativeRunner({
    limits,
    imagesAs: config.uploads.sendAs,
    model: configured === null ? null : observed('configured', configured),
    code: sandbox,
    templates: sandbox,
    egress,
    webFetch: guardedFetch,
    apps,
    bound: {
      load,
      openModel: ({ url, key, model }) => {
        const way = { fetch: toModels(guardedFetch), refused }
        return observed('bound', createChatEndpoint({ baseUrl: url, apiKey: key, name: model, ...way }))
      },
    },
    now,
    timer,
    ids: newId,
    onFault,
  })
  const runner = createUpstreamRunner({ native, api, load, now, ids: newId, onFault })
  return {
    ports: {
      runner: observedRunner(runner, { metrics, tracer }),
      liveDefinition: createLiveDefinition({ load, api, now }),
      fetchFile: createFetchFile(egress),
    },
    watched: { sandboxes: sandbox.state },
    prepare: async () => {
      if (isEndpoint(config.model.baseUrl)) await loadClient()
    },
    close: () => sandbox.close(),
  }
}

function observedRunner(runner: AppRunner, { metrics, tracer }: Watching): AppRunner {
  const metered = metrics?.ofRunner(runner) ?? runner
  return tracer === null ? metered : tracedRunner(metered, tracer)
}

type Source = 'configured' | 'bound'

function makeObserved(maxChars: number, { metrics, tracer }: Watching) {
  return (source: Source, model: ModelClient): ModelClient => {
    const bounded = boundedModel(model, maxChars)
    return metrics === null && tracer === null
      ? bounded
      : observedModel(bounded, () => observeModel(source, { metrics, tracer }))
  }
}

/** Begins to observe one call of a model; what it returns is told how the call went. */
function observeModel(source: Source, { metrics, tracer }: Watching) {
  const span = tracer?.begin('model call', 'client', { 'latchkey.model.source': source })
  return (call: ModelCall) => {
    metrics?.modelCall(source, call)
    const { outcome, usage } = call
    const facts =
      usage === null
        ? {}
        : { 'gen_ai.usage.input_tokens': usage.promptTokens, 'gen_ai.usage.output_tokens': usage.completionTokens }
    const isFault = outcome !== 'answered' && outcome !== 'stopped'
    span?.end({ facts: { ...facts, 'latchkey.model.outcome': outcome }, fault: isFault ? outcome : undefined })
  }
}
