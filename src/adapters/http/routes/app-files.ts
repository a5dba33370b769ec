import * as v from 'valibot'
import type { UseCases } from '#application/use-cases.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import { appExamples } from '../examples/apps.ts'
import { type Route, route } from '../route.ts'
import { uuid } from '../schemas.ts'
import { accountIdOf } from './account-only.ts'
import { bearerErrors } from './bearer-errors.ts'

const access = { kind: 'bearer', scope: 'apps:read', accepts: 'account' } as const
const errors = [
  ...bearerErrors,
  'app_not_found',
  'workspace_unavailable',
  'workspace_membership_revoked',
  'role_required',
] as const

/** What every reader of an app passes, in the order of the other read routes. */
async function readable(context: AuthContext, appId: string | undefined, cases: UseCases) {
  const { app } = await cases.describeApp(context, appId ?? '')
  return { accountId: accountIdOf(context), appId: app.id }
}

const exportApp = route({
  method: 'get',
  path: '/apps/:id/export',
  summary: 'An app as a file that imports as the same app; for editors',
  access,
  missing: 'app_not_found',
  query: v.object({
    include_secret: v.optional(v.picklist(['true', 'false', '1', '0']), 'false'),
    workflow_id: v.pipe(v.optional(uuid), v.description('A version of the app; the published one when absent.')),
  }),
  reply: v.object({ data: v.pipe(v.string(), v.description('YAML.')) }),
  example: appExamples.exportApp,
  errors: [...errors, 'workflow_not_found'],
  handle: async ({ params, query }, context, cases) => {
    const data = await cases.exportApp({
      ...(await readable(context, params.id, cases)),
      workflowId: query.workflow_id ?? null,
      includeSecret: query.include_secret === 'true' || query.include_secret === '1',
    })
    return { data }
  },
})

const checkDependencies = route({
  method: 'get',
  path: '/apps/:id/check-dependencies',
  summary: 'The plugins that an app names and nothing here stands in for; for editors',
  access,
  missing: 'app_not_found',
  reply: v.object({
    leaked_dependencies: v.array(
      v.object({
        type: v.string(),
        value: v.record(v.string(), v.unknown()),
        current_identifier: v.nullable(v.string()),
      }),
    ),
  }),
  example: appExamples.checkDependencies,
  errors,
  handle: async ({ params }, context, cases) => {
    const { accountId, appId } = await readable(context, params.id, cases)
    const leaked = await cases.checkDependencies(accountId, appId)
    return {
      leaked_dependencies: leaked.map(({ type, value, currentIdentifier }) => ({
        type,
        value: { ...value },
        current_identifier: currentIdentifier,
      })),
    }
  },
})

/** Apps as files. */
export const appFileRoutes: readonly Route[] = [exportApp, checkDependencies]
