import type { AppMode } from '#domain/app-mode.ts'
import { DomainError } from '#domain/errors.ts'
import { atLeast } from '#domain/workspace.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { Clock } from '../ports/clock.ts'
import type { DslFiles } from '../ports/dsl-files.ts'
import type { NewId } from '../ports/secrets.ts'

type Needs = { apps: AppCatalog; memberships: MembershipDirectory; dsl: DslFiles; newId: NewId; now: Clock }

type Imported = {
  readonly importId: string
  /** `completed-with-warnings`: an older format was read. */
  readonly status: 'completed' | 'completed-with-warnings'
  readonly appId: string
  readonly name: string
  readonly mode: AppMode
  readonly dslVersion: string
}

/** The file is newer than this server: nothing is stored until somebody confirms. */
type Pending = { readonly importId: string; readonly status: 'pending'; readonly dslVersion: string }

export type ImportApp = (input: {
  readonly accountId: string
  readonly workspaceId: string
  readonly source: string
  /** Overrides what the file says. */
  readonly name?: string | undefined
  readonly description?: string | undefined
  /** Whether a file of a newer format is taken for what of it is understood. */
  readonly confirmed?: boolean | undefined
}) => Promise<Imported | Pending>

/**
 * Stores an app file as a new app, API on and published; nothing is stored when the file is broken.
 * @throws DomainError `dsl_invalid` | `role_required` | `workspace_not_found`
 */
export function makeImportApp({ apps, memberships, dsl, newId, now }: Needs): ImportApp {
  return async ({ accountId, workspaceId, source, name, description, confirmed = false }) => {
    const membership = await memberships.find(accountId, workspaceId)
    if (membership === null || membership.status !== 'normal') throw new DomainError('workspace_not_found', {})
    if (!atLeast(membership.role, 'editor')) throw new DomainError('role_required', { role: 'editor' })
    const file = await dsl.read(source)
    if (file.age === 'newer' && !confirmed) return { importId: newId(), status: 'pending', dslVersion: file.version }
    const app = {
      id: newId(),
      workspaceId,
      name: name ?? file.name,
      description: description ?? file.description,
      mode: file.mode,
      createdBy: accountId,
      createdAtMs: now(),
      definition: {
        id: newId(),
        kind: 'published' as const,
        dslVersion: file.version,
        workflow: file.workflow,
        modelConfig: file.modelConfig,
      },
      source,
    }
    await apps.add(app)
    const status = file.age === 'older' ? 'completed-with-warnings' : 'completed'
    return { importId: newId(), status, appId: app.id, name: app.name, mode: app.mode, dslVersion: file.version }
  }
}
