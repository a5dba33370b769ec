import type { UseCases } from '#application/use-cases.ts'
import { DomainError, type PreflightIssue } from '#domain/errors.ts'
import { MAX_PAGE_LIMIT } from '#domain/page.ts'
import { actingPerson } from './acting-person.ts'
import { namedApp } from './named-app.ts'
import type { AdminRequest } from './parse-command.ts'
import { type AdminReply, done, failed, listed } from './reply.ts'

type Request<C extends AdminRequest['command']> = Extract<AdminRequest, { command: C }>

export async function importApp(cases: UseCases, request: Request<'app import'>): Promise<AdminReply> {
  const { source, file, options } = request
  const person = await actingPerson(cases, options)
  if ('lines' in person) return person
  const given = { ...person, source, name: options.name, confirmed: options.confirm }
  const imported = await orReason(cases.importApp(given))
  if (typeof imported === 'string') return failed(`${file ?? 'the file'} is no app file: ${imported}`)
  const { status, dslVersion } = imported
  if (imported.status === 'pending') {
    if (options.json) return answer(false, [JSON.stringify({ status, dsl_version: dslVersion })])
    return failed(`the file's format ${dslVersion} is newer than this server reads: --confirm imports it all the same`)
  }
  const { appId, name, mode } = imported
  const { issues } = await cases.checkApp.byId(person.accountId, appId)
  if (options.json) {
    const preflight = issues.map(wire)
    return done([JSON.stringify({ app_id: appId, name, mode, dsl_version: dslVersion, status, preflight })])
  }
  const next = issues.length === 0 ? [] : ['Before it can run:', ...issues.flatMap(linesOf)]
  return done([`Imported "${name}" (${mode}, format ${dslVersion}) as ${appId}`, ...next])
}

/** Why the file is none: the parser's words alone would blame a line of a file that was never meant to be one. */
async function orReason<T extends object>(importing: Promise<T>): Promise<T | string> {
  try {
    return await importing
  } catch (error) {
    if (!(error instanceof DomainError && error.code === 'dsl_invalid')) throw error
    return 'message' in error.facts ? String(error.facts.message) : 'it cannot be read'
  }
}

export async function checkApp(cases: UseCases, request: Request<'app check'>): Promise<AdminReply> {
  const { app: named, options } = request
  const found = await namedApp(cases, named, options)
  if ('lines' in found) return found
  const { app, issues } = await cases.checkApp.byId(found.accountId, found.appId)
  const ok = issues.length === 0
  const { id, name, mode } = app
  if (options.json) return answer(ok, [JSON.stringify({ app_id: id, name, mode, preflight: issues.map(wire) })])
  return answer(ok, ok ? [`"${name}" can run`] : [`Before "${name}" can run:`, ...issues.flatMap(linesOf)])
}

export async function exportApp(cases: UseCases, request: Request<'app export'>): Promise<AdminReply> {
  const { app, options } = request
  const found = await namedApp(cases, app, options)
  if ('lines' in found) return found
  const { accountId, appId } = found
  const file = await cases.exportApp({ accountId, appId, includeSecret: options['include-secret'] === true })
  if (options.json) return done([JSON.stringify({ data: file })])
  // Whoever prints a reply ends every line, and the file ends its last one itself.
  return done([file.replace(/\n$/, '')])
}

export async function listApps(cases: UseCases, { options }: Request<'app list'>): Promise<AdminReply> {
  const person = await actingPerson(cases, options)
  if ('lines' in person) return person
  const apps = await cases.listWorkspaceApps(person.workspaceId, { page: 1, limit: MAX_PAGE_LIMIT })
  if (options.json) return done(apps.data.map(({ id, name, mode }) => JSON.stringify({ id, name, mode })))
  const more = apps.hasMore ? [`… and ${apps.total - apps.data.length} more`] : []
  const lines = apps.data.map(({ id, name, mode }) => `${id}  ${mode.padEnd(13)}  ${name}`)
  return listed([...lines, ...more], 'no apps', false)
}

function answer(ok: boolean, lines: readonly string[]): AdminReply {
  return { ok, lines, isAnswer: true }
}

function wire({ node, title, reason, fix }: PreflightIssue) {
  return { node, title, reason, fix }
}

function linesOf({ node, title, reason, fix }: PreflightIssue): readonly string[] {
  return [`  ${title || node} (${node}): ${reason}`, `    ${fix}`]
}
