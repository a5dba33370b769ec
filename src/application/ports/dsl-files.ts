import type { JsonObject } from '#domain/app.ts'
import type { AppDependency } from '#domain/app-dependencies.ts'
import type { AppMode } from '#domain/app-mode.ts'

import type { AppIcon } from './pending-imports.ts'

/** An app file, understood. */
export type ReadDsl = {
  readonly name: string
  readonly description: string
  readonly mode: AppMode
  readonly version: string
  /** Compared with the format as this server knows it; a newer file may hold what it does not understand. */
  readonly age: 'current' | 'older' | 'newer'
  readonly workflow: JsonObject | null
  readonly modelConfig: JsonObject | null
  /** The plugins that the file says it needs. */
  readonly dependencies: readonly AppDependency[]
}

/** What an export says that the imported file may have said otherwise. */
export type ExportChoices = {
  readonly name: string
  readonly description: string
  /** Whether the values of secret variables stay in. */
  readonly includeSecret: boolean
  /** Its picture, in the file's own words; the file's when absent. */
  readonly icon?: AppIcon | undefined
}

/** App files as text: YAML or JSON, any version of the format. */
export interface DslFiles {
  /** @throws DomainError `dsl_invalid` with the line and the reason | `service_unavailable` while too many wait */
  read(source: string): Promise<ReadDsl>
  /** The file once more, equivalent and always written the same way. @throws DomainError as `read` */
  write(source: string, choices: ExportChoices): Promise<string>
}
