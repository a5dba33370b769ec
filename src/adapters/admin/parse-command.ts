import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { AUDIT_EVENT_NAMES, isAuditEventName } from '#domain/audit-event.ts'
import { isEmail } from '#domain/email.ts'
import { parseSince } from './since.ts'

const Options = v.object({
  workspace: v.optional(v.string()),
  as: v.optional(v.string()),
  email: v.optional(v.string()),
  name: v.optional(v.string()),
  role: v.optional(v.picklist(['owner', 'admin', 'editor', 'normal'])),
  since: v.optional(v.string()),
  event: v.optional(v.string()),
  json: v.optional(v.boolean(), false),
})

/** An operator's command, complete: files and standard input are read where the operator is. */
export const AdminRequest = v.variant('command', [
  v.object({ command: v.literal('app import'), source: v.string(), options: Options }),
  v.object({ command: v.literal('app list'), options: Options }),
  v.object({ command: v.literal('account create'), password: v.string(), options: Options }),
  v.object({
    command: v.literal('account change'),
    change: v.picklist(['ban', 'unban', 'close']),
    email: v.string(),
    options: Options,
  }),
  v.object({ command: v.literal('prune'), options: Options }),
  v.object({ command: v.literal('audit'), sinceMs: v.number(), options: Options }),
  v.object({ command: v.literal('session list'), options: Options }),
  v.object({ command: v.literal('session revoke'), id: v.string(), options: Options }),
])
export type AdminRequest = v.InferOutput<typeof AdminRequest>

/** Wrong words on the command line; the message says what is wanted. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A file that cannot be read; the words were right. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile'
}

export const ADMIN_USAGE = `Usage: latchkey COMMAND [options]

  serve                                     serve the API and the pages (the default)
  migrate                                   bring the database up to date, then exit
  prune [--json]                            delete tokens that ended longer ago than they are kept for
  audit --since WHEN [--event EVENT] [--json]
                                            what happened since 90m, 24h, 7d, a date or an instant, oldest first
  app import FILE [--workspace ID] [--as EMAIL] [--name NAME] [--json]
                                            import an exported app ("-" reads standard input)
  app list [--workspace ID] [--as EMAIL] [--json]
  account create --email EMAIL --name NAME [--workspace ID] [--role ROLE] [--as EMAIL]
                                            add a person; the password is read from standard input
  account ban EMAIL                         shut a person out: their terminals and browsers are signed out at once
  account unban EMAIL                       let them sign in again
  account close EMAIL                       shut a person out for good
  session list --email EMAIL [--json]       the terminals signed in as a person
  session revoke ID --email EMAIL           end one of them

The prune, audit, app, account and session commands work on the configured database, also beside a running server.
`

/** Reads words and what they point to. @throws UsageError | UnreadableFile */
export async function parseAdminCommand(
  words: readonly string[],
  readStdin: () => Promise<string>,
): Promise<AdminRequest> {
  const { values, positionals } = parseWords(words)
  const [group = '', verb = '', operand] = positionals
  const options = values
  switch (`${group} ${verb}`) {
    case 'app import': {
      if (operand === undefined) throw new UsageError('app import takes a FILE')
      return { command: 'app import', source: await readSource(operand, readStdin), options }
    }
    case 'app list':
      return { command: 'app list', options }
    case 'account create': {
      if (options.email === undefined || options.name === undefined) {
        throw new UsageError('account create takes --email and --name')
      }
      if (!isEmail(options.email)) throw new UsageError('--email must be an email address')
      return { command: 'account create', password: (await readStdin()).replace(/\r?\n$/, ''), options }
    }
    case 'account ban':
    case 'account unban':
    case 'account close': {
      if (operand === undefined) throw new UsageError(`account ${verb} takes an EMAIL`)
      const change = verb === 'ban' || verb === 'unban' ? verb : 'close'
      return { command: 'account change', change, email: operand, options }
    }
    case 'prune ':
      return { command: 'prune', options }
    case 'audit ':
      return { command: 'audit', sinceMs: auditSince(options), options }
    case 'session list':
      if (options.email === undefined) throw new UsageError('session list takes --email')
      return { command: 'session list', options }
    case 'session revoke': {
      if (operand === undefined || options.email === undefined) {
        throw new UsageError('session revoke takes an ID and --email')
      }
      return { command: 'session revoke', id: operand, options }
    }
    default:
      throw new UsageError(`unknown command: ${`${group} ${verb}`.trim()}`)
  }
}

function auditSince({ since, event }: v.InferOutput<typeof Options>): number {
  const sinceMs = since === undefined ? null : parseSince(since, Date.now())
  if (sinceMs === null) throw new UsageError('audit takes --since: 90m, 24h, 7d, 2026-01-31 or 2026-01-31T08:00Z')
  if (event !== undefined && !isAuditEventName(event)) {
    throw new UsageError(`--event must be one of ${AUDIT_EVENT_NAMES.join(', ')}`)
  }
  return sinceMs
}

function parseWords(words: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        workspace: text,
        as: text,
        email: text,
        name: text,
        role: text,
        since: text,
        event: text,
        json: { type: 'boolean' },
      },
    })
    return { values: v.parse(Options, values), positionals }
  } catch (error) {
    if (error instanceof v.ValiError) throw new UsageError('--role must be owner, admin, editor or normal')
    throw new UsageError(error instanceof Error ? error.message : 'cannot read the command line')
  }
}

/** @throws UnreadableFile */
async function readSource(file: string, readStdin: () => Promise<string>): Promise<string> {
  if (file === '-') return readStdin()
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw new UnreadableFile(`cannot read ${file}: ${WHY_UNREADABLE[code] ?? code}`)
  }
}

const WHY_UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you are not allowed to',
}
