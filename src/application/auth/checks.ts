import type { App } from '#domain/app.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import { DomainError } from '#domain/errors.ts'
import { grants, type Scope } from '#domain/scope.ts'
import { isUuid } from '#domain/uuid.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { Authenticate } from './authenticate.ts'
import type { Caller } from './caller.ts'
import type { RequireMembership } from './layer-zero.ts'
import type { AppChecks } from './pipeline.ts'

/** Whether a subject may use an app; who decides depends on the edition. */
export type AppAccess = (context: AuthContext, app: App) => Promise<boolean>

/** Turns a subject into the owner of what a run leaves behind, or null when it does not know such subjects. */
export type CallerMounter = (context: AuthContext, app: App) => Promise<Caller | null>

type Needs = {
  authenticate: Authenticate
  apps: AppCatalog
  requireMembership: RequireMembership
  access: AppAccess
  mounters: readonly CallerMounter[]
}

/** @throws DomainError `insufficient_scope` */
export function requireScope(context: AuthContext, required: Scope, surface: 'read' | 'run'): void {
  if (!grants(context.scopes, required)) throw new DomainError('insufficient_scope', { required, surface })
}

/**
 * An app that can be used: missing, abnormal and foreign ids look the same.
 * @throws DomainError `app_not_found` | `service_api_disabled` | `workspace_unavailable`
 */
export async function requireApp(apps: AppCatalog, appId: string, use: 'describe' | 'run'): Promise<App> {
  const app = isUuid(appId) ? await apps.find(appId.toLowerCase()) : null
  if (app === null || app.status !== 'normal') throw new DomainError('app_not_found', {})
  if (use === 'run' && !app.apiEnabled) throw new DomainError('service_api_disabled', {})
  if (app.workspaceStatus === 'archive') throw new DomainError('workspace_unavailable', {})
  return app
}

/** The six guards of the run route. `pipeline` gives them their order. */
export function makeAppChecks({ authenticate, apps, requireMembership, access, mounters }: Needs): AppChecks {
  return {
    bearerCheck: async (so) => ({ ...so, context: await authenticate(so.bearer, { from: so.from }) }),
    scopeCheck: async (so) => {
      requireScope(so.context, so.requires, 'run')
      return { ...so, scopeChecked: true }
    },
    appResolver: async (so) => {
      return { ...so, app: await requireApp(apps, so.appId, 'run') }
    },
    membershipCheck: async (so) => {
      await requireMembership(so.context, so.app.workspaceId)
      return { ...so, membershipChecked: true }
    },
    accessCheck: async (so) => {
      if (!(await access(so.context, so.app))) throw new DomainError('subject_no_app_access', {})
      return { ...so, accessChecked: true }
    },
    callerMount: async (so) => {
      for (const mount of mounters) {
        const caller = await mount(so.context, so.app)
        if (caller !== null) return { ...so, caller }
      }
      throw new DomainError('caller_not_mounted', {})
    },
  }
}

/** Accounts own their runs themselves, in the app's workspace. */
export const mountAccount: CallerMounter = async ({ subject }, app) =>
  subject.type === 'account'
    ? { kind: 'account', owner: { kind: 'account', id: subject.accountId }, workspaceId: app.workspaceId }
    : null
