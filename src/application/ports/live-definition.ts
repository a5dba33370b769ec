import type { App, AppDefinition } from '#domain/app.ts'
import type { Bindings } from './bindings.ts'

/** An app's definition, and what its workspace binds at the same moment. */
export type Live = { readonly definition: AppDefinition; readonly bindings: Bindings }

/**
 * The definition of an app as it stands where the app runs: its form and what it offers are that server's to say. The
 * same for an app that runs here.
 * @throws DomainError `upstream_failed` | `rate_limit_error`
 */
export type LiveDefinition = (app: App, definition: AppDefinition) => Promise<Live>
