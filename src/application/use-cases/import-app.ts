import type { AppMode } from '#domain/app-mode.ts'
import { DomainError } from '#domain/errors.ts'
import { atLeast } from '#domain/workspace.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { Clock } from '../ports/clock.ts'
import type { DslReader } from '../ports/dsl-reader.ts'
import type { NewId } from '../ports/secrets.ts'

type Needs = { apps: AppCatalog; memberships: MembershipDirectory; readDsl: DslReader; newId: NewId; now: Clock }

export type ImportApp = (input: {
  readonly accountId: string
  readonly workspaceId: string
  readonly source: string
  /** Overrides what the file says. */
  readonly name?: string | undefined
  readonly description?: string | undefined
}) => Promise<{
  readonly importId: string
  readonly appId: string
  readonly name: string
  readonly mode: AppMode
  readonly dslVersion: string
}>

/**
 * Stores an app file as a new app, API on and published; nothing is stored when the file is broken.
 * @throws DomainError `dsl_invalid` | `role_required` | `workspace_not_found`
 */
export function makeImportApp({ apps, memberships, readDsl, newId, now }: Needs): ImportApp {
  return async ({ accountId, workspaceId, source, name, description }) => {
    const membership = await memberships.find(accountId, workspaceId)
    if (membership === null || membership.status !== 'normal') throw new DomainError('workspace_not_found', {})
    if (!atLeast(membership.role, 'editor')) throw new DomainError('role_required', { role: 'editor' })
    const dsl = readDsl(source)
    const app = {
      id: newId(),
      workspaceId,
      name: name ?? dsl.name,
      description: description ?? dsl.description,
      mode: dsl.mode,
      createdBy: accountId,
      createdAtMs: now(),
      definition: {
        id: newId(),
        kind: 'published' as const,
        dslVersion: dsl.version,
        workflow: dsl.workflow,
        modelConfig: dsl.modelConfig,
      },
      source,
    }
    await apps.add(app)
    return { importId: newId(), appId: app.id, name: app.name, mode: app.mode, dslVersion: dsl.version }
  }
}
