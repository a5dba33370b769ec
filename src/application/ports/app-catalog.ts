import type { App, AppDefinition } from '#domain/app.ts'
import type { AppMode } from '#domain/app-mode.ts'
import type { Page, PageRequest } from '#domain/page.ts'

export type AppQuery = PageRequest & {
  readonly workspaceId: string
  readonly mode?: AppMode | undefined
  /** Case-insensitive substring, taken literally; a UUID finds by id. */
  readonly name?: string | undefined
  readonly tag?: string | undefined
  /** Those whose API is off, too: what the people of the workspace see, and no caller of an app. */
  readonly apiOff?: boolean | undefined
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

/** What an app is from now on; versions that it had stay. */
export type NewVersion = Omit<NewApp, 'workspaceId' | 'mode'>

export interface AppCatalog {
  /** Runnable apps only (`normal`, API on, unless it says otherwise); newest change first, then by id, so pages do not overlap. */
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
  /** Gives the app with the version's `id` a new name, description and published definition. False when there is none. */
  addVersion(version: NewVersion): Promise<boolean>
  /** False when there is no such app. */
  setApi(appId: string, enabled: boolean, atMs: number): Promise<boolean>
  /**
   * Publishes the latest draft as version `newId` when it is newer than what is published; twice is once. Resolves when
   * the version in force was published, or null when there is none.
   */
  publish(appId: string, newId: string, atMs: number): Promise<number | null>
}
