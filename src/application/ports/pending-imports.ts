/** How long an import waits for its confirmation. */
export const PENDING_IMPORT_TTL_MS = 10 * 60_000
/** Files can be large, and only the latest few of a person are ever confirmed. */
export const MAX_PENDING_IMPORTS = 5

/** What overrides an app file. */
export type ImportChoices = {
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly icon?: AppIcon | undefined
  /** The app that the file replaces; a new one when absent. */
  readonly appId?: string | undefined
}

/** The picture of an app, in the words of app files. */
export type AppIcon = {
  readonly icon_type?: string | undefined
  readonly icon?: string | undefined
  readonly icon_background?: string | undefined
}

/** An app file that waits until the person who brought it takes it although it is of a newer format. */
export type PendingImport = {
  readonly id: string
  readonly accountId: string
  readonly workspaceId: string
  readonly source: string
  readonly choices: ImportChoices
  readonly createdAtMs: number
}

/** Imports that wait for a confirmation, for `PENDING_IMPORT_TTL_MS`. */
export interface PendingImports {
  /** Drops what waited too long, whosever it is, and all but the account's latest `MAX_PENDING_IMPORTS`. */
  add(pending: PendingImport): Promise<void>
  /** Null when unknown, taken or too old. */
  find(id: string, nowMs: number): Promise<PendingImport | null>
  /** True for the one caller that takes it; false, too, when it waited too long. */
  take(id: string, nowMs: number): Promise<boolean>
}
