import type { JsonObject } from '#domain/app.ts'
import type { DatasetBinding } from './bindings.ts'

/** What is looked for. */
export type Question = {
  readonly query: string
  readonly topK: number
  /** 0 to 1; null takes every score. */
  readonly scoreThreshold: number | null
  /** A filter on metadata, as the external knowledge protocol has it: `{logical_operator, conditions}`. */
  readonly metadataCondition: JsonObject | null
}

/** A passage that was found. */
export type FoundRecord = {
  readonly content: string
  readonly title: string
  /** 0 to 1. */
  readonly score: number
  readonly metadata: JsonObject
}

/** Searches knowledge that a workspace bound. */
export interface Retriever {
  /**
   * Best first, at most `topK`, none below the threshold, whatever the service sends.
   * @throws RetrievalFailure for whatever keeps the answer from coming
   */
  retrieve(dataset: DatasetBinding, question: Question, signal: AbortSignal): Promise<readonly FoundRecord[]>
}

/** Why a search gave nothing, in words for the app's author. Holds no key. */
export class RetrievalFailure extends Error {
  override readonly name = 'RetrievalFailure'
}
