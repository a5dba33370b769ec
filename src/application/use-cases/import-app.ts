import type { AppMode } from '#domain/app-mode.ts'
import { DomainError } from '#domain/errors.ts'
import { requireRole } from '../auth/require-role.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { AppCatalog, NewApp } from '../ports/app-catalog.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { DslFiles, ReadDsl } from '../ports/dsl-files.ts'
import type { ImportChoices } from '../ports/pending-imports.ts'
import type { NewId } from '../ports/secrets.ts'
import type { UnitOfWork } from '../ports/unit-of-work.ts'

type Needs = {
  apps: AppCatalog
  memberships: MembershipDirectory
  dsl: DslFiles
  audit: AuditLog
  unitOfWork: UnitOfWork
  newId: NewId
  now: Clock
}

export type Imported = {
  readonly importId: string
  /** `completed-with-warnings`: an older format was read. */
  readonly status: 'completed' | 'completed-with-warnings'
  readonly appId: string
  readonly name: string
  readonly mode: AppMode
  readonly dslVersion: string
}

/** The file is newer than this server: nothing is stored until somebody confirms. */
export type AwaitsConfirmation = { readonly importId: string; readonly status: 'pending'; readonly dslVersion: string }

type Given = ImportChoices & {
  readonly accountId: string
  readonly workspaceId: string
  readonly source: string
  /** Whether a file of a newer format is taken for what of it is understood. */
  readonly confirmed?: boolean | undefined
  /** Asked in the transaction that stores the app: false stores nothing, as somebody else was first. */
  readonly claim?: (() => Promise<boolean>) | undefined
}

export type ImportApp = (input: Given) => Promise<Imported | AwaitsConfirmation>

/**
 * Stores an app file as a new app, API on and published, or as the next version of the app it names; nothing is stored
 * when the file is broken. Runs under way keep the version they began with.
 * @throws DomainError `dsl_invalid` | `role_required` | `workspace_not_found` | `app_not_found` | `import_not_found`
 */
export function makeImportApp({ apps, memberships, dsl, audit, unitOfWork, newId, now }: Needs): ImportApp {
  return async (input) => {
    const { accountId, workspaceId, appId, confirmed = false, claim } = input
    await requireRole(memberships, input, 'editor')
    const file = await dsl.read(input.source)
    if (appId !== undefined) await requireSameKind(workspaceId, appId, file.mode)
    if (file.age === 'newer' && !confirmed) return { importId: newId(), status: 'pending', dslVersion: file.version }
    const app = await appOf(input, file)
    await unitOfWork(async () => {
      if (claim !== undefined && !(await claim())) throw new DomainError('import_not_found', {})
      if (appId === undefined) await apps.add(app)
      else if (!(await apps.addVersion(app))) throw new DomainError('app_not_found', {})
      const facts = { appId: app.id, tenantId: workspaceId, accountId, mode: app.mode, replaced: appId !== undefined }
      await audit.append({ event: 'app.imported', facts }, app.createdAtMs)
    })
    const status = file.age === 'older' ? 'completed-with-warnings' : 'completed'
    return { importId: newId(), status, appId: app.id, name: app.name, mode: app.mode, dslVersion: file.version }
  }

  async function requireSameKind(workspaceId: string, appId: string, mode: AppMode): Promise<void> {
    const app = await apps.find(appId)
    if (app?.workspaceId !== workspaceId) throw new DomainError('app_not_found', {})
    // Its callers, and the conversations it has, know it by its mode.
    if (app.mode !== mode) throw new DomainError('dsl_invalid', { message: `the app is ${app.mode}, the file ${mode}` })
  }

  async function appOf({ accountId, workspaceId, appId, source, ...given }: Given, file: ReadDsl): Promise<NewApp> {
    const { name = file.name, description = file.description, icon } = given
    return {
      id: appId ?? newId(),
      workspaceId,
      name,
      description,
      mode: file.mode,
      createdBy: accountId,
      createdAtMs: now(),
      definition: {
        id: newId(),
        kind: 'published',
        dslVersion: file.version,
        workflow: file.workflow,
        modelConfig: file.modelConfig,
      },
      // A picture lives in the file alone, so another one makes another file.
      source: icon === undefined ? source : await dsl.write(source, { name, description, icon, includeSecret: true }),
    }
  }
}
