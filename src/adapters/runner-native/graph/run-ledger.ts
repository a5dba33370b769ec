import type { Json } from '#domain/app.ts'
import { NO_USAGE, type RunFailure, type TokenUsage } from '#domain/run.ts'
import { failureBy } from '../failures.ts'
import { NodeFailure, type NodeResult } from '../nodes/node-executor.ts'
import type { Entry } from './frame.ts'
import type { Frames } from './frames.ts'
import type { BookState } from './run-state.ts'
import type { Place } from './scheduler-events.ts'
import { weightOf } from './weight.ts'

/** What the nodes of one run made and used. */
export type RunLedger = {
  /** Takes what a node made, or says why it is too much. */
  readonly keepResult: (place: Place, result: NodeResult) => NodeFailure | null
  /** Any failure as one the app may know; a fault of ours is reported and loses its message. */
  readonly keepFailure: (place: Place, error: unknown) => NodeFailure
  readonly usage: () => TokenUsage
  /** What was found in knowledge, in the order in which nodes were done. */
  readonly retrieved: () => readonly Json[]
}

/** Goes on from what a run had before; all it holds at once may have `mayHold` characters. */
export function openRunLedger(
  frames: Pick<Frames, 'at' | 'entryAt' | 'held'>,
  mayHold: number,
  onFault: (error: unknown) => void,
  before: Pick<BookState, 'usage' | 'retrieved'> | null,
): RunLedger {
  const retrieved: Json[] = [...(before?.retrieved ?? [])]
  let usage = before?.usage ?? NO_USAGE

  function count(entry: Entry, used: TokenUsage | null): void {
    if (used === null) return
    entry.usage = used
    usage = {
      promptTokens: usage.promptTokens + used.promptTokens,
      completionTokens: usage.completionTokens + used.completionTokens,
      totalTokens: usage.totalTokens + used.totalTokens,
    }
  }

  return {
    keepResult(place, result) {
      const frame = frames.at(place.scope)
      const entry = frames.entryAt(place)
      if (frame === undefined || entry === undefined) return null
      const { inputs, outputs, processData = {}, usage: used = null, retrieverResources = [] } = result
      const weight = weightOf(outputs)
      if (frames.held() + weight > mayHold || weightOf(inputs) > mayHold) {
        const facts = { usage: used }
        return new NodeFailure('VariableSizeError', `the run would hold more than ${mayHold} characters`, facts)
      }
      frame.held += weight
      if (entry.opened === null) entry.inputs = inputs
      entry.processData = processData
      count(entry, used)
      retrieved.push(...retrieverResources)
      return null
    },
    keepFailure(place, error) {
      if (!(error instanceof NodeFailure)) onFault(error)
      const known = error instanceof NodeFailure ? error : asNodeFailure(failureBy(error))
      const entry = frames.entryAt(place)
      if (entry !== undefined) {
        entry.inputs = known.inputs
        entry.failure = known.failure
        count(entry, known.usage)
      }
      return known
    },
    usage: () => usage,
    retrieved: () => retrieved,
  }
}

function asNodeFailure(failure: RunFailure): NodeFailure {
  return new NodeFailure('InternalError', failure.message, { failure })
}
