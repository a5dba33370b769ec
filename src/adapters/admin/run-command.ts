import type { UseCases } from '#application/use-cases.ts'
import { isAuditEventName } from '#domain/audit-event.ts'
import { DomainError, type InputIssue, type PreflightIssue } from '#domain/errors.ts'
import { MAX_PAGE_LIMIT } from '#domain/page.ts'
import { passwordFault } from '#domain/password-policy.ts'
import { isUuid } from '#domain/uuid.ts'
import { actingPerson } from './acting-person.ts'
import { defuse } from './defuse.ts'
import type { AdminRequest } from './parse-command.ts'
import { type AdminReply, done, failed, listed } from './reply.ts'
import { changeAppAccess, changeExternal } from './run-access.ts'
import { checkApp, exportApp, importApp, listApps } from './run-app.ts'
import { listBindings, removeBinding, setBinding } from './run-binding.ts'
import { showRun } from './run-trace.ts'
import { bindUpstream, unbindUpstream } from './run-upstream.ts'

/** Carries out an operator's command with the same use cases the API has. Never throws a refusal. */
export async function runAdminCommand(cases: UseCases, request: AdminRequest): Promise<AdminReply> {
  const reply = await replyTo(cases, request)
  // An exported file has lines of its own, and YAML escapes what a terminal would act upon.
  const isFile = request.command === 'app export' && reply.ok && !request.options.json
  return isFile ? reply : { ...reply, lines: reply.lines.map(defuse) }
}

async function replyTo(cases: UseCases, request: AdminRequest): Promise<AdminReply> {
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
    case 'app check':
      return checkApp(cases, request)
    case 'app export':
      return exportApp(cases, request)
    case 'app bind-upstream':
      return bindUpstream(cases, request)
    case 'app unbind-upstream':
      return unbindUpstream(cases, request)
    case 'app access':
      return changeAppAccess(cases, request)
    case 'external change':
      return changeExternal(cases, request)
    case 'binding list':
      return listBindings(cases, request)
    case 'binding set':
      return setBinding(cases, request)
    case 'binding remove':
      return removeBinding(cases, request)
    case 'account create':
      return createAccount(cases, request)
    case 'account change':
      return changeAccount(cases, request)
    case 'prune':
      return prune(cases, request)
    case 'run show':
      return showRun(cases, request)
    case 'audit':
      return readAudit(cases, request)
    case 'session list':
      return listSessions(cases, request)
    case 'session revoke':
      return revokeSession(cases, request)
  }
}

type Request<C extends AdminRequest['command']> = Extract<AdminRequest, { command: C }>

async function createAccount(cases: UseCases, { password, options }: Request<'account create'>): Promise<AdminReply> {
  const fault = passwordFault(password)
  if (fault !== null) return failed(fault)
  const person = await actingPerson(cases, options)
  if ('lines' in person) return person
  const { email = '', name = '', role = 'normal' } = options
  const created = await cases.createAccount({ email, name, password, role, workspaceId: person.workspaceId })
  if ('refused' in created) return failed('the email is taken')
  return done([
    options.json ? JSON.stringify({ account_id: created.accountId }) : `Created account ${created.accountId}`,
  ])
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
  const { files, orphans } = await cases.pruneFiles()
  const traces = await cases.pruneTraces()
  if (options.json) return done([JSON.stringify({ ...pruned, files, orphans, traces })])
  const { revoked, expired } = pruned
  return done([
    `Deleted ${revoked + expired} tokens: ${revoked} revoked, ${expired} expired`,
    `Deleted ${files + orphans} uploads: ${files} past their time, ${orphans} that nothing was known of`,
    `Deleted ${traces} traces of nodes`,
  ])
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
  if (next === undefined) return listed(shown, 'no events', options.json)
  const since = new Date(next.atMs).toISOString()
  return done([...shown, options.json ? JSON.stringify({ more_since: since }) : `… more with --since ${since}`])
}

async function listSessions(cases: UseCases, { options }: Request<'session list'>): Promise<AdminReply> {
  const account = await cases.findAccount(options.email ?? '')
  if (account === null) return failed('no account has this email')
  const subject = { type: 'account' as const, accountId: account.id, email: account.email }
  const sessions = await cases.listSessions(subject, { page: 1, limit: MAX_PAGE_LIMIT })
  const lines = sessions.data.map(({ id, clientId, deviceLabel, expiresAtMs }) => {
    const expires = new Date(expiresAtMs).toISOString()
    if (options.json) return JSON.stringify({ id, client_id: clientId, device_label: deviceLabel, expires_at: expires })
    return `${id}  ${clientId}  ${deviceLabel}  until ${expires}`
  })
  return listed(lines, 'no sessions', options.json)
}

async function revokeSession(cases: UseCases, { id, options }: Request<'session revoke'>): Promise<AdminReply> {
  const account = await cases.findAccount(options.email ?? '')
  if (account === null) return failed('no account has this email')
  if (!isUuid(id)) return failed('no session has this id')
  await cases.revokeSession({ type: 'account', accountId: account.id, email: account.email }, id)
  return done([options.json ? JSON.stringify({ revoked: id }) : `Revoked ${id}`])
}

function refused({ code, facts }: DomainError): AdminReply {
  if ('issues' in facts) return { ok: false, lines: facts.issues.map(issueLine) }
  const detail = 'message' in facts && typeof facts.message === 'string' ? facts.message : code.replaceAll('_', ' ')
  return failed(detail)
}

function issueLine(issue: InputIssue | PreflightIssue): string {
  return 'msg' in issue ? `${issue.loc.join('.')} ${issue.msg}` : `${issue.node}: ${issue.reason}`
}
