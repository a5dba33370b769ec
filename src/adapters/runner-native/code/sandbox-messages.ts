import type { JsonObject } from '#domain/app.ts'

/** What the parent asks of a child. */
export type SandboxJob =
  | {
      readonly id: number
      readonly kind: 'javascript'
      readonly code: string
      readonly inputs: JsonObject
      readonly timeoutMs: number
    }
  | { readonly id: number; readonly kind: 'python'; readonly code: string; readonly inputs: JsonObject }
  | { readonly id: number; readonly kind: 'template'; readonly template: string; readonly variables: JsonObject }

/** A job before it has a number. */
export type SandboxWork = SandboxJob extends infer Job ? (Job extends SandboxJob ? Omit<Job, 'id'> : never) : never

/** What a child answers: text, or what went wrong in words for the app's author. */
export type SandboxReply = {
  readonly id: number
  /** The child must not be asked again. */
  readonly spent: boolean
  readonly said: { readonly ok: true; readonly text: string } | { readonly ok: false; readonly error: string }
}
