import type * as v from 'valibot'
import type { ApiClient } from './api-client.ts'
import { AccountReply, AppsReply } from './api-schemas.ts'
import { EXIT, TerminalFailure, usageFailure } from './terminal-failure.ts'
import { isUuid } from './uuid.ts'

const MAX_NAME = 200
const MAX_CANDIDATES = '200'

type Query = Readonly<Record<string, string | undefined>>
type AppsPage = v.InferOutput<typeof AppsReply>

/** One page of the apps the caller may run: a workspace's for an account, the permitted ones for an external subject. */
export async function listApps(api: ApiClient, workspace: string | undefined, query: Query): Promise<AppsPage> {
  if (workspace !== undefined) return appsOf(api, workspace, query)
  const me = await api.call({ method: 'GET', path: '/account' }, AccountReply)
  if (me.account === null) return api.call({ method: 'GET', path: '/apps/permitted', query }, AppsReply)
  const own = me.default_workspace_id ?? me.workspaces[0]?.id
  if (own === undefined) throw new TerminalFailure(EXIT.failure, 'no_workspace', 'you are not in any workspace')
  return appsOf(api, own, query)
}

/** The id that `app` means: an id itself, or a name that only one app carries. */
export async function findAppId(api: ApiClient, app: string, workspace: string | undefined): Promise<string> {
  if (isUuid(app)) return app
  if (app === '' || app.length > MAX_NAME) throw usageFailure('APP is an id or a name')
  const { data } = await listApps(api, workspace, { name: app, limit: MAX_CANDIDATES })
  const exact = data.filter(({ name }) => name === app)
  const found = exact.length > 0 ? exact : data.filter(({ name }) => name.toLowerCase() === app.toLowerCase())
  const [only, ...others] = found
  if (only === undefined) {
    const hint =
      data.length > 0
        ? `; near: ${data
            .slice(0, 5)
            .map(({ name }) => name)
            .join(', ')}`
        : ''
    throw new TerminalFailure(EXIT.failure, 'app_not_found', `no app is named ${app}${hint}`)
  }
  if (others.length > 0) {
    const ids = found.map(({ id }) => id).join(', ')
    throw new TerminalFailure(EXIT.failure, 'app_ambiguous', `several apps are named ${app}: say which by id (${ids})`)
  }
  return only.id
}

function appsOf(api: ApiClient, workspace: string, query: Query): Promise<AppsPage> {
  return api.call({ method: 'GET', path: '/apps', query: { workspace_id: workspace, ...query } }, AppsReply)
}
