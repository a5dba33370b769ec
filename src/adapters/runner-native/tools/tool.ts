import type { Clock, Timer } from '#application/ports/clock.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import type { TokenUsage } from '#domain/run.ts'
import type { CodeRunner } from '../code/code-runner.ts'
import type { HttpEgress } from '../egress/http-egress.ts'

/** What a tool gave. */
export type ToolOutput = {
  readonly text: string
  readonly json: readonly Json[]
  readonly files: readonly Json[]
  /** Outputs with names of their own, as those of an app have. */
  readonly named?: JsonObject
  readonly usage?: TokenUsage
}

/** What a tool says about itself; `parameters` is a JSON schema of an object. */
export type ToolDescription = { readonly description: string; readonly parameters: JsonObject }

/** Something that an app can call. Both reject with ToolFailure for whatever the tool or its parameters do. */
export type Tool = {
  readonly describe: (signal: AbortSignal) => Promise<ToolDescription>
  readonly call: (parameters: JsonObject, signal: AbortSignal) => Promise<ToolOutput>
}

/** A tool that needs no binding. */
export type NativeTool = ToolDescription & { readonly call: (needs: ToolNeeds) => Tool['call'] }

/** Runs another app of the same workspace as a tool. */
export type InnerApps = {
  readonly describe: (appId: string) => Promise<ToolDescription>
  readonly run: (appId: string, parameters: JsonObject, signal: AbortSignal) => Promise<ToolOutput>
}

/** What tools work with. `webFetch` is guarded like `egress`, for answers that are read while they come. */
export type ToolNeeds = {
  readonly code: CodeRunner
  readonly egress: HttpEgress
  readonly webFetch: typeof fetch
  readonly apps: InnerApps
  readonly now: Clock
  readonly timer: Timer
}

/** Why a tool gave nothing, in words for the app's author and its model. Holds no key. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure'
}

/** A tool's answer that is text alone; JSON in it is read as well. */
export function textOutput(text: string, json: readonly Json[] = []): ToolOutput {
  return { text, json, files: [] }
}
