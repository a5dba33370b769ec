import type { UseCases } from '#application/use-cases.ts'
import { isAuditEventName } from '#domain/audit-event.ts'
import { DomainError } from '#domain/errors.ts'
import { MAX_PAGE_LIMIT } from '#domain/page.ts'
import { passwordFault } from '#domain/password-policy.ts'
import { isUuid } from '#domain/uuid.ts'
import { defaultWorkspaceId } from '#domain/workspace.ts'
import type { AdminRequest } from './parse-command.ts'

/** What the operator reads, and whether the command did what it says. */
export type AdminReply = { readonly ok: boolean; readonly lines: readonly string[] }

/** Carries out an operator's command with the same use cases the API has. Never throws a refusal. */
export async function runAdminCommand(cases: UseCases, request: AdminRequest): Promise<AdminReply> {
  try {
    return await dispatch(cases, request)
  } catch (error) {
    if (error instanceof DomainError) return refused(error)
    throw error
  }
}

function dispatch(cases: UseCases, request: AdminRequest): Promise<AdminReply> {
  switch (request.command) {
    case 'app import':
      return importApp(cases, request)
    case 'app list':
      return listApps(cases, request)
    case 'account create':
      return createAccount(cases, request)
    case 'account change':
      return changeAccount(cases, request)
    case 'prune':
      return prune(cases, request)
    case 'audit':
      return readAudit(cases, request)
    case 'session list':
      return listSessions(cases, request)
    case 'session revoke':
      return revokeSession(cases, request)
  }
}

type Request<C extends AdminRequest['command']> = Extract<AdminRequest, { command: C }>

async function importApp(cases: UseCases, { source, options }: Request<'app import'>): Promise<AdminReply> {
  const person = await actingPerson(cases, options)
  if ('lines' in person) return person
  const imported = await cases.importApp({ ...person, source, name: options.name })
  const { appId, name, mode, dslVersion } = imported
  if (options.json) return done([JSON.stringify({ app_id: appId, name, mode, dsl_version: dslVersion })])
  return done([`Imported "${name}" (${mode}, format ${dslVersion}) as ${appId}`])
}

async function listApps(cases: UseCases, { options }: Request<'app list'>): Promise<AdminReply> {
  const person = await actingPerson(cases, options)
  if ('lines' in person) return person
  const apps = await cases.listWorkspaceApps(person.workspaceId, { page: 1, limit: MAX_PAGE_LIMIT })
  if (options.json) return done(apps.data.map(({ id, name, mode }) => JSON.stringify({ id, name, mode })))
  const more = apps.hasMore ? [`… and ${apps.total - apps.data.length} more`] : []
  return done([...apps.data.map(({ id, name, mode }) => `${id}  ${mode.padEnd(13)}  ${name}`), ...more])
}

async function createAccount(cases: UseCases, { password, options }: Request<'account create'>): Promise<AdminReply> {
  const fault = passwordFault(password)
  if (fault !== null) return failed(fault)
  const person = await actingPerson(cases, options)
  if ('lines' in person) return person
  const { email = '', name = '', role = 'normal' } = options
  const created = await cases.createAccount({ email, name, password, role, workspaceId: person.workspaceId })
  return 'refused' in created ? failed(`the email is taken`) : done([`Created account ${created.accountId}`])
}

const CHANGED = { ban: 'Banned', unban: 'Unbanned', close: 'Closed' } as const

async function changeAccount(cases: UseCases, request: Request<'account change'>): Promise<AdminReply> {
  const { email, change, options } = request
  const outcome = await cases.changeAccount(email, change)
  if (outcome.kind === 'unknown') return failed('no account has this email')
  if (outcome.kind === 'refused') return failed(`the account is ${outcome.status}`)
  const { revokedTokens } = outcome
  if (options.json) return done([JSON.stringify({ email, change, revoked_tokens: revokedTokens })])
  const ended = change === 'unban' ? '' : `; tokens revoked: ${revokedTokens}`
  return done([`${CHANGED[change]} ${email}${ended}`])
}

async function prune(cases: UseCases, { options }: Request<'prune'>): Promise<AdminReply> {
  const pruned = await cases.pruneEndedTokens()
  if (pruned === null) return failed('another process is pruning just now')
  if (options.json) return done([JSON.stringify(pruned)])
  const { revoked, expired } = pruned
  return done([`Deleted ${revoked + expired} tokens: ${revoked} revoked, ${expired} expired`])
}

/** As much as fits in memory and a terminal; what follows can be asked for from the last instant on. */
const MAX_AUDIT_ROWS = 10_000

async function readAudit(cases: UseCases, { sinceMs, options }: Request<'audit'>): Promise<AdminReply> {
  const event = options.event !== undefined && isAuditEventName(options.event) ? options.event : null
  const rows = await cases.readAudit({ sinceMs, event, limit: MAX_AUDIT_ROWS + 1 })
  const shown = rows.slice(0, MAX_AUDIT_ROWS).map(({ atMs, event: name, facts }) => {
    const at = new Date(atMs).toISOString()
    return options.json ? JSON.stringify({ at, event: name, ...facts }) : `${at}  ${name}  ${JSON.stringify(facts)}`
  })
  const next = rows[MAX_AUDIT_ROWS]
  if (next === undefined) return done(shown)
  const since = new Date(next.atMs).toISOString()
  return done([...shown, options.json ? JSON.stringify({ more_since: since }) : `… more with --since ${since}`])
}

async function listSessions(cases: UseCases, { options }: Request<'session list'>): Promise<AdminReply> {
  const account = await cases.findAccount(options.email ?? '')
  if (account === null) return failed('no account has this email')
  const subject = { type: 'account' as const, accountId: account.id, email: account.email }
  const sessions = await cases.listSessions(subject, { page: 1, limit: MAX_PAGE_LIMIT })
  return done(
    sessions.data.map(({ id, clientId, deviceLabel, expiresAtMs }) => {
      const expires = new Date(expiresAtMs).toISOString()
      if (options.json)
        return JSON.stringify({ id, client_id: clientId, device_label: deviceLabel, expires_at: expires })
      return `${id}  ${clientId}  ${deviceLabel}  until ${expires}`
    }),
  )
}

async function revokeSession(cases: UseCases, { id, options }: Request<'session revoke'>): Promise<AdminReply> {
  const account = await cases.findAccount(options.email ?? '')
  if (account === null) return failed('no account has this email')
  if (!isUuid(id)) return failed('no session has this id')
  await cases.revokeSession({ type: 'account', accountId: account.id, email: account.email }, id)
  return done([`Revoked ${id}`])
}

/** Who the command is done as (`--as`, else whoever set the server up), and in which workspace. */
async function actingPerson(
  cases: UseCases,
  options: AdminRequest['options'],
): Promise<{ accountId: string; workspaceId: string } | AdminReply> {
  const account = options.as === undefined ? await cases.owner() : await cases.findAccount(options.as)
  if (account === null) {
    return failed(
      options.as === undefined ? 'not set up yet: visit /install first' : 'no account has the email of --as',
    )
  }
  const joined = await cases.listWorkspaces(account.id)
  const workspaceId = options.workspace ?? defaultWorkspaceId(joined)
  if (workspaceId === null) return failed('this account is in no workspace')
  if (!joined.some((one) => one.workspaceId === workspaceId)) return failed('not a member of this workspace')
  return { accountId: account.id, workspaceId }
}

function refused({ code, facts }: DomainError): AdminReply {
  const detail = 'message' in facts && typeof facts.message === 'string' ? facts.message : code.replaceAll('_', ' ')
  return failed(detail)
}

function done(lines: readonly string[]): AdminReply {
  return { ok: true, lines }
}

function failed(line: string): AdminReply {
  return { ok: false, lines: [line] }
}
