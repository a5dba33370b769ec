import type { App, AppDefinition } from '#domain/app.ts'
import type { AppMode } from '#domain/app-mode.ts'
import type { Page, PageRequest } from '#domain/page.ts'

export type AppQuery = PageRequest & {
  readonly workspaceId: string
  readonly mode?: AppMode | undefined
  /** Case-insensitive substring, taken literally; a UUID finds by id. */
  readonly name?: string | undefined
  readonly tag?: string | undefined
}

export type NewApp = {
  readonly id: string
  readonly workspaceId: string
  readonly name: string
  readonly description: string
  readonly mode: AppMode
  readonly createdBy: string | null
  readonly createdAtMs: number
  readonly definition: Omit<AppDefinition, 'appId'>
  /** The file as it came, for export. */
  readonly source: string
}

export interface AppCatalog {
  /** Runnable apps only (`normal`, API on); newest change first, then by id, so pages do not overlap. */
  search(query: AppQuery): Promise<Page<App>>
  /** Any app by id, whatever its status. */
  find(appId: string): Promise<App | null>
  /** Those that exist, in any order. */
  findMany(appIds: readonly string[]): Promise<readonly App[]>
  /** The published definition in force, or the version asked for (a draft too). */
  definition(appId: string, definitionId?: string): Promise<AppDefinition | null>
  /** The file that a definition was imported from; null when there is no such version, or no definition. */
  source(appId: string, definitionId?: string): Promise<string | null>
  /** Stores app and published definition together. */
  add(app: NewApp): Promise<void>
}
