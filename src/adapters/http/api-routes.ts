import { openApiDocument } from './openapi.ts'
import type { Route } from './route.ts'
import { accountRoutes } from './routes/account.ts'
import { appFileRoutes } from './routes/app-files.ts'
import { approvalGrantRoutes } from './routes/approval-grant.ts'
import { appRoutes } from './routes/apps.ts'
import { bindingRoutes } from './routes/bindings.ts'
import { consoleRoutes } from './routes/console.ts'
import { consoleAccessRoutes } from './routes/console-access.ts'
import { consoleAppRoutes } from './routes/console-apps.ts'
import { deviceRoutes } from './routes/device.ts'
import { deviceDecisionRoutes } from './routes/device-decision.ts'
import { deviceSsoRoutes } from './routes/device-sso.ts'
import { fileRoutes } from './routes/files.ts'
import { humanInputRoutes } from './routes/human-input.ts'
import { consoleImportRoutes, importRoutes } from './routes/imports.ts'
import { memberRoutes } from './routes/members.ts'
import { metaRoutes } from './routes/meta.ts'
import { oauthRoutes } from './routes/oauth.ts'
import { probeRoutes } from './routes/probes.ts'
import { runRoutes } from './routes/run.ts'
import { taskRoutes } from './routes/tasks.ts'
import { workspaceRoutes } from './routes/workspaces.ts'

/** Where what the document lists is reached. */
export const PREFIX = '/openapi/v1'
/** Where signed-in browsers and provisioning scripts reach theirs. */
export const CONSOLE_PREFIX = '/console/api'

/** Built when first asked for, and once: it takes far longer than to send it. */
let document: unknown

/** Routes under the public prefix; the OpenAPI document lists exactly these. */
export const apiRoutes: readonly Route[] = [
  ...metaRoutes(() => {
    document ??= openApiDocument(apiRoutes, probeRoutes)
    return document
  }),
  ...deviceRoutes,
  ...deviceDecisionRoutes,
  ...deviceSsoRoutes,
  ...approvalGrantRoutes,
  ...oauthRoutes,
  ...accountRoutes,
  ...workspaceRoutes,
  ...memberRoutes,
  ...importRoutes,
  ...appRoutes,
  ...appFileRoutes,
  ...runRoutes,
  ...fileRoutes,
  ...humanInputRoutes,
  ...taskRoutes,
]

/** What signed-in browsers and provisioning scripts call; not part of the document. */
export const consoleApiRoutes: readonly Route[] = [
  ...consoleRoutes,
  ...consoleAppRoutes,
  ...consoleImportRoutes,
  ...consoleAccessRoutes,
  ...bindingRoutes,
]
