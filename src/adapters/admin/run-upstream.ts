import type { UseCases } from '#application/use-cases.ts'
import type { BindingSubject } from '#domain/binding.ts'
import { namedApp } from './named-app.ts'
import type { AdminRequest } from './parse-command.ts'
import { type AdminReply, done, failed } from './reply.ts'
import { removed } from './run-binding.ts'

type Request<C extends AdminRequest['command']> = Extract<AdminRequest, { command: C }>

const subjectOf = (appId: string): BindingSubject => ({ kind: 'app', provider: '', name: appId })

export async function bindUpstream(cases: UseCases, request: Request<'app bind-upstream'>): Promise<AdminReply> {
  const { url, key, options } = request
  const found = await namedApp(cases, request.app, options)
  if ('lines' in found) return found
  const { accountId, appId } = found
  const { app } = await cases.checkApp.byId(accountId, appId)
  await cases.bindings.set(
    { accountId, workspaceId: app.workspaceId },
    { subject: subjectOf(appId), target: { via: 'upstream', url }, key },
  )
  if (options.json) return done([JSON.stringify({ app_id: appId, via: 'upstream', url })])
  return done([`"${app.name}" runs at ${url} from now on; \`latchkey describe\` shows what it takes there`])
}

export async function unbindUpstream(cases: UseCases, request: Request<'app unbind-upstream'>): Promise<AdminReply> {
  const { options } = request
  const found = await namedApp(cases, request.app, options)
  if ('lines' in found) return found
  const { accountId, appId } = found
  const { app } = await cases.checkApp.byId(accountId, appId)
  const was = await removed(cases, { accountId, workspaceId: app.workspaceId }, subjectOf(appId))
  if (!was) return failed(`"${app.name}" runs here already`)
  return done([options.json ? JSON.stringify({ app_id: appId, removed: true }) : `"${app.name}" runs here again`])
}
