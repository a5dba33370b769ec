import type { Json, JsonObject } from '#domain/app.ts'

/** What came of running somebody else's text. `error` is for the app's author. */
export type Ran<R> = { readonly ok: true; readonly value: R } | { readonly ok: false; readonly error: string }

/** Runs an app's code where it can reach nothing of ours. */
export interface CodeRunner {
  /** Calls the code's `main` with `inputs`. Bounded in time and memory; never rejects. */
  runJavaScript(code: string, inputs: JsonObject, signal: AbortSignal): Promise<Ran<Json>>
  /**
   * As `runJavaScript`, with the inputs as named arguments; only Python's own library is there. What code does to its
   * interpreter stays within the app.
   */
  runPython(code: string, inputs: JsonObject, appId: string, signal: AbortSignal): Promise<Ran<Json>>
  /** Python of the app is about to run: starts what that takes where there is room. Never waits. */
  expectPython(appId: string): void
}

/** Renders an app's Jinja templates where they can reach nothing of ours. */
export interface TemplateRenderer {
  /** Bounded in time and size; never rejects. */
  render(template: string, variables: JsonObject, signal: AbortSignal): Promise<Ran<string>>
  /** As `expectPython`, for the template. */
  expect(template: string): void
}
