import type { AppMode } from './app-mode.ts'
import type { WorkspaceStatus } from './workspace.ts'

/** A catalogue entry. Only `normal` apps with their API on can be run. */
export type App = {
  readonly id: string
  readonly workspaceId: string
  readonly workspaceName: string
  readonly workspaceStatus: WorkspaceStatus
  readonly name: string
  readonly description: string
  readonly mode: AppMode
  readonly status: string
  readonly apiEnabled: boolean
  readonly accessMode: string | null
  readonly tags: readonly string[]
  readonly authorName: string | null
  readonly updatedAtMs: number
}

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

/**
 * A published version of an app: the imported DSL as JSON, layout and all. Exactly one of `workflow`
 * (graph modes) and `modelConfig` (the others) is set in a usable definition.
 */
export type AppDefinition = {
  readonly id: string
  readonly appId: string
  /** `draft` is never run. */
  readonly kind: 'published' | 'draft'
  readonly dslVersion: string
  readonly workflow: JsonObject | null
  readonly modelConfig: JsonObject | null
}
