import type { App } from '#domain/app.ts'
import type { AccessGrant, AccessMode } from '#domain/app-access.ts'
import type { AppMode } from '#domain/app-mode.ts'
import type { PageRequest } from '#domain/page.ts'
import type { Subject } from '#domain/subject.ts'

export type ExternalSubject = Extract<Subject, { type: 'external_sso' }>

export type PermittedQuery = PageRequest & {
  readonly mode?: AppMode | undefined
  readonly name?: string | undefined
}

/**
 * Who decides on Enterprise which apps a person may use: a remote service, or our own table.
 * Every method throws DomainError `enterprise_failed` when it cannot be asked.
 */
export interface AccessPolicy {
  /** Whether apps are guarded by access modes; where they are not, membership decides. */
  enabled(): Promise<boolean>
  /** The app's mode as it is called there, or null. */
  modeOf(app: App): Promise<string | null>
  /** Asked only for `private` apps. */
  permits(subject: Subject, app: App): Promise<boolean>
  /** One page of the ids that an external subject may use, in a stable order; `total` counts all of them. */
  permittedApps(
    subject: ExternalSubject,
    query: PermittedQuery,
  ): Promise<{ readonly ids: readonly string[]; readonly total: number }>
}

/** Modes and grants of apps, as operators edit them. */
export interface AppAccessStore {
  /** False when there is no such app. */
  setMode(appId: string, mode: AccessMode): Promise<boolean>
  grants(appId: string): Promise<readonly AccessGrant[]>
  /** Adds what is not there yet. */
  grant(appId: string, grants: readonly AccessGrant[], by: string | null, atMs: number): Promise<void>
  withdraw(appId: string, grants: readonly AccessGrant[]): Promise<void>
  holdsAny(appId: string, grants: readonly AccessGrant[]): Promise<boolean>
  /** Runnable apps that are open to external subjects, or `private` with one of `grants`; by name, then by id. */
  open(
    grants: readonly AccessGrant[],
    query: PermittedQuery,
  ): Promise<{ readonly ids: readonly string[]; readonly total: number }>
}
