import { DomainError } from '#domain/errors.ts'
import { requireRole } from '../auth/require-role.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { Clock } from '../ports/clock.ts'
import type { FetchFile } from '../ports/fetch-file.ts'
import type { ImportChoices, PendingImports } from '../ports/pending-imports.ts'
import type { NewId } from '../ports/secrets.ts'
import type { AwaitsConfirmation, ImportApp, Imported } from './import-app.ts'

type Needs = {
  importApp: ImportApp
  pendingImports: PendingImports
  memberships: MembershipDirectory
  fetchFile: FetchFile
  newId: NewId
  now: Clock
}

/** The file is none, or cannot be had; `message` says why, for whoever wrote it. */
export type FailedImport = { readonly importId: string; readonly status: 'failed'; readonly message: string }

type Who = { readonly accountId: string; readonly workspaceId: string }

/** Imports over the wire, which wait for a confirmation when the file is of a newer format. */
export type ManageImports = {
  /** @throws DomainError `role_required` | `workspace_not_found` | `app_not_found` */
  begin(
    who: Who,
    from: { readonly source: string } | { readonly url: string },
    choices: ImportChoices,
  ): Promise<Imported | AwaitsConfirmation | FailedImport>
  /**
   * Finishes one's own import, once: of two at the same time one finds nothing.
   * @throws DomainError `import_not_found` | `role_required` | `workspace_not_found` | `app_not_found`
   */
  confirm(who: Who, importId: string): Promise<Imported | AwaitsConfirmation | FailedImport>
}

export function makeManageImports(needs: Needs): ManageImports {
  const { importApp, pendingImports, memberships, fetchFile, newId, now } = needs

  async function orFailed<R>(work: () => Promise<R>): Promise<R | FailedImport> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'dsl_invalid') throw error
      const { message } = (error as DomainError<'dsl_invalid'>).facts // the code says which facts there are
      return { importId: newId(), status: 'failed', message }
    }
  }

  return {
    async begin(who, from, choices) {
      // Before anything is fetched: only those who may import may make this server ask others.
      await requireRole(memberships, who, 'editor')
      return orFailed(async () => {
        const source = 'url' in from ? await fetchFile(from.url) : from.source
        const outcome = await importApp({ ...who, ...choices, source })
        if (outcome.status !== 'pending') return outcome
        await pendingImports.add({ ...who, id: outcome.importId, source, choices, createdAtMs: now() })
        return outcome
      })
    },

    async confirm(who, importId) {
      const pending = await pendingImports.find(importId, now())
      if (pending === null || pending.accountId !== who.accountId || pending.workspaceId !== who.workspaceId) {
        throw new DomainError('import_not_found', {})
      }
      const claim = () => pendingImports.take(importId, now())
      return orFailed(async () => {
        const outcome = await importApp({ ...who, ...pending.choices, source: pending.source, confirmed: true, claim })
        return { ...outcome, importId }
      })
    },
  }
}
