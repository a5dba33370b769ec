import type { JsonObject } from '#domain/app.ts'
import type { AppMode } from '#domain/app-mode.ts'

/** An app file, understood. */
export type ReadDsl = {
  readonly name: string
  readonly description: string
  readonly mode: AppMode
  readonly version: string
  readonly workflow: JsonObject | null
  readonly modelConfig: JsonObject | null
}

/**
 * Parses an exported app (YAML or JSON), any known version of the format.
 * @throws DomainError `dsl_invalid` with the line and the reason
 */
export type DslReader = (text: string) => ReadDsl
