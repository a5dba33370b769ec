import type { JsonObject } from '#domain/app.ts'
import type { RunFailure, TokenUsage } from '#domain/run.ts'

/** One turn of what a model is sent. */
export type ModelMessage = {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly text: string
  /** Addresses of pictures that belong to a user message. */
  readonly images?: readonly { readonly url: string; readonly detail: string }[]
  /** What the assistant called in this turn. */
  readonly calls?: readonly ToolCall[]
  /** The call that a tool's message answers. */
  readonly callId?: string
}

/** A function that a model may call; `parameters` is a JSON schema of an object. */
export type ToolOffer = { readonly name: string; readonly description: string; readonly parameters: JsonObject }

/** A model's wish to call a function. The arguments are the model's own text: mostly JSON. */
export type ToolCall = { readonly id: string; readonly name: string; readonly arguments: string }

/** What a model is asked. */
export type ModelRequest = {
  /** The name that the app asks for; an operator's own setting wins. */
  readonly model: string | null
  /** Who serves it, in the words of the app; a workspace may have bound it. */
  readonly provider?: string
  readonly messages: readonly ModelMessage[]
  /** The app's completion parameters, passed on as they are. */
  readonly params: JsonObject
  readonly tools?: readonly ToolOffer[]
  /** The one tool that it has to call; absent: as it likes. */
  readonly mustCall?: string
  /** The JSON schema of the answer. The messages say it too, for models that know no other way; it may still not fit. */
  readonly answerSchema?: JsonObject
}

/** A piece of a model's answer. */
export type ModelChunk =
  | { readonly kind: 'text' | 'reasoning'; readonly delta: string }
  | { readonly kind: 'call'; readonly call: ToolCall }
  | { readonly kind: 'finish'; readonly reason: string }
  | { readonly kind: 'usage'; readonly usage: TokenUsage }

/** A language model. */
export interface ModelClient {
  /** False when neither the operator nor the app names a model. */
  canRun(model: string | null, provider?: string): boolean
  /**
   * Streams one answer. Ends early, or rejects, soon after `signal` aborts.
   * @throws ModelFailure for whatever the model or the way to it does
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelChunk>
}

/** Why a model did not answer, as the run tells it. Never holds a key or an address with credentials. */
export class ModelFailure extends Error {
  override readonly name = 'ModelFailure'
  readonly failure: RunFailure

  constructor(failure: RunFailure, options?: ErrorOptions) {
    super(failure.message, options)
    this.failure = failure
  }
}
