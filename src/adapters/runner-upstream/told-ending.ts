import type { JsonObject } from '#domain/app.ts'
import { type AppMode, isGraphMode } from '#domain/app-mode.ts'
import { listAt, numberAt, objectAt, textAt } from '#domain/json.ts'
import { NO_USAGE, type RunEnding, type TokenUsage } from '#domain/run.ts'
import { errorIn } from './upstream-failure.ts'

type Run = {
  readonly mode: AppMode
  readonly key: string
  /** Seconds since the run began. */
  readonly elapsedS: () => number
}

/** What another server has told of a run so far, of all that its ending is made of. */
export type ToldSoFar = {
  readonly messageEnd: JsonObject | null
  readonly finished: JsonObject | null
  readonly answer: string
}

/** How another server's run ended; null while nothing says that it has. */
export function endingOf({ mode, key, elapsedS }: Run, { messageEnd, finished, answer }: ToldSoFar): RunEnding | null {
  const isGraph = isGraphMode(mode)
  if ((isGraph ? finished : messageEnd) === null) return null
  const metadata = objectAt(messageEnd ?? {}, 'metadata')
  const resources = listAt(metadata, 'retriever_resources')
  const usage = usageOf(objectAt(metadata, 'usage'), finished ?? {})
  if (finished === null || !isGraph) {
    const totals = { usage, totalSteps: 0, elapsedS: elapsedS(), exceptionsCount: 0 }
    return { kind: 'succeeded', outputs: {}, answer, retrieverResources: resources, ...totals }
  }
  const common = {
    outputs: objectAt(finished, 'outputs'),
    answer,
    usage,
    totalSteps: numberAt(finished, 'total_steps') ?? 0,
    elapsedS: numberAt(finished, 'elapsed_time') ?? elapsedS(),
    exceptionsCount: numberAt(finished, 'exceptions_count') ?? 0,
  }
  switch (textAt(finished, 'status')) {
    case 'succeeded':
      return { kind: 'succeeded', retrieverResources: resources, ...common }
    case 'partial-succeeded':
      return { kind: 'partial', retrieverResources: resources, ...common }
    case 'stopped':
      return { kind: 'stopped', reason: 'user', ...common }
    default: {
      const message = errorIn(finished, key) ?? 'The app failed where it runs.'
      return { kind: 'failed', failure: { code: 'completion_request_error', message }, ...common }
    }
  }
}

function usageOf(told: JsonObject, finished: JsonObject): TokenUsage {
  const count = (name: string) => Math.max(0, Math.trunc(numberAt(told, name) ?? 0))
  const totalTokens = count('total_tokens') || Math.max(0, numberAt(finished, 'total_tokens') ?? 0)
  if (totalTokens === 0) return NO_USAGE
  return { promptTokens: count('prompt_tokens'), completionTokens: count('completion_tokens'), totalTokens }
}
