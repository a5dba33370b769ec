import type { RunEnding, RunStep } from '#domain/run.ts'
import { NO_USAGE } from '#domain/run.ts'

/** A piece of an answer. */
export function aText(delta: string): RunStep {
  return { kind: 'text', delta, fromSelector: null }
}

/** How a run ends that found its answer. */
export function anEnding(answer = ''): RunEnding {
  const totals = { usage: NO_USAGE, totalSteps: 1, elapsedS: 0, exceptionsCount: 0 }
  return { kind: 'succeeded', outputs: {}, answer, retrieverResources: [], ...totals }
}
