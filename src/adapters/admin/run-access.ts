import type { AppAccessView } from '#application/use-cases/manage-app-access.ts'
import type { UseCases } from '#application/use-cases.ts'
import { DEFAULT_ACCESS_MODE, formatGrant } from '#domain/app-access.ts'
import { namedApp } from './named-app.ts'
import type { AdminRequest } from './parse-command.ts'
import { type AdminReply, done, failed } from './reply.ts'

type Request<C extends AdminRequest['command']> = Extract<AdminRequest, { command: C }>

export async function changeAppAccess(cases: UseCases, request: Request<'app access'>): Promise<AdminReply> {
  const { app, change, options } = request
  const found = await namedApp(cases, app, options)
  if ('lines' in found) return found
  const { appId } = found
  const isChange = change.mode !== undefined || change.grant.length > 0 || change.withdraw.length > 0
  const view = isChange ? await cases.appAccess.change(appId, change, null) : await cases.appAccess.view(appId)
  if (view === null) return failed('no app has this id')
  return done(options.json ? [JSON.stringify({ app_id: appId, ...wire(view) })] : linesOf(view))
}

function wire({ mode, grants }: AppAccessView) {
  return { access_mode: mode, grants: grants.map(formatGrant) }
}

function linesOf({ mode, grants }: AppAccessView): readonly string[] {
  const shown = mode === null || mode === '' ? `${DEFAULT_ACCESS_MODE} (the default)` : mode
  return [`mode  ${shown}`, ...grants.map((grant) => `grant ${formatGrant(grant)}`)]
}

export async function changeExternal(cases: UseCases, request: Request<'external change'>): Promise<AdminReply> {
  const { change, email, issuer, groups, options } = request
  const who = { email, issuer }
  switch (change) {
    case 'block': {
      const ended = await cases.changeExternal.block(who)
      if (options.json) return done([JSON.stringify({ email, issuer, blocked: true, revoked_tokens: ended })])
      return done([`Blocked ${email}${issuer === null ? '' : ` of ${issuer}`}; tokens revoked: ${ended}`])
    }
    case 'unblock': {
      if (!(await cases.changeExternal.unblock(who))) return failed('no such block stands')
      return done([options.json ? JSON.stringify({ email, issuer, blocked: false }) : `Unblocked ${email}`])
    }
    case 'groups': {
      if (issuer === null) return failed('external groups takes --issuer')
      if (!(await cases.changeExternal.setGroups(issuer, email, groups))) return failed('this person never signed on')
      return done([
        options.json ? JSON.stringify({ email, issuer, groups }) : `Groups of ${email}: ${groups.join(', ')}`,
      ])
    }
  }
}
