import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { ACCESS_MODES } from '#domain/app-access.ts'
import { AUDIT_EVENT_NAMES, isAuditEventName } from '#domain/audit-event.ts'
import { isEmail } from '#domain/email.ts'
import { isUuid } from '#domain/uuid.ts'
import { checkWords } from './command-words.ts'
import { type Outside, readSource } from './outside.ts'
import { ACCESS_OPTIONS, parseAccessChange, parseExternalChange } from './parse-access.ts'
import {
  BINDING_OPTIONS,
  parseKey,
  parseSubject,
  parseTarget,
  parseUpstream,
  Subject,
  Target,
} from './parse-binding.ts'
import { parseSince } from './since.ts'
import { refusedWords, UsageError } from './usage-error.ts'

const Options = v.object({
  workspace: v.optional(v.string()),
  as: v.optional(v.string()),
  email: v.optional(v.string()),
  name: v.optional(v.string()),
  role: v.optional(v.picklist(['owner', 'admin', 'editor', 'normal'])),
  since: v.optional(v.string()),
  event: v.optional(v.string()),
  json: v.optional(v.boolean(), false),
  confirm: v.optional(v.boolean()),
  'include-secret': v.optional(v.boolean()),
})

const Grant = v.object({ type: v.picklist(['email', 'domain', 'group']), value: v.string() })

/** An operator's command, complete: files and standard input are read where the operator is. */
export const AdminRequest = v.variant('command', [
  v.object({
    command: v.literal('app import'),
    source: v.string(),
    /** What the operator calls it. */
    file: v.optional(v.string()),
    options: Options,
  }),
  v.object({ command: v.literal('app list'), options: Options }),
  v.object({ command: v.literal('app check'), app: v.string(), options: Options }),
  v.object({ command: v.literal('app export'), app: v.string(), options: Options }),
  v.object({
    command: v.literal('app bind-upstream'),
    app: v.string(),
    url: v.string(),
    key: v.string(),
    options: Options,
  }),
  v.object({ command: v.literal('app unbind-upstream'), app: v.string(), options: Options }),
  v.object({
    command: v.literal('app access'),
    app: v.string(),
    change: v.object({ mode: v.optional(v.picklist(ACCESS_MODES)), grant: v.array(Grant), withdraw: v.array(Grant) }),
    options: Options,
  }),
  v.object({
    command: v.literal('external change'),
    change: v.picklist(['block', 'unblock', 'groups']),
    email: v.string(),
    issuer: v.nullable(v.string()),
    groups: v.array(v.string()),
    options: Options,
  }),
  v.object({ command: v.literal('binding list'), options: Options }),
  v.object({
    command: v.literal('binding set'),
    subject: Subject,
    target: Target,
    key: v.optional(v.nullable(v.string())),
    options: Options,
  }),
  v.object({ command: v.literal('binding remove'), subject: Subject, options: Options }),
  v.object({ command: v.literal('account create'), password: v.string(), options: Options }),
  v.object({
    command: v.literal('account change'),
    change: v.picklist(['ban', 'unban', 'close']),
    email: v.string(),
    options: Options,
  }),
  v.object({ command: v.literal('prune'), options: Options }),
  v.object({ command: v.literal('run show'), id: v.string(), options: Options }),
  v.object({ command: v.literal('audit'), sinceMs: v.number(), options: Options }),
  v.object({ command: v.literal('session list'), options: Options }),
  v.object({ command: v.literal('session revoke'), id: v.string(), options: Options }),
])
export type AdminRequest = v.InferOutput<typeof AdminRequest>

/** Reads words and what they point to. @throws UsageError | UnreadableFile */
export async function parseAdminCommand(words: readonly string[], outside: Outside): Promise<AdminRequest> {
  const { values, given, positionals } = parseWords(words)
  checkWords(positionals, Object.keys(given))
  const [group = '', verb = '', operand] = positionals
  const options = values
  switch (`${group} ${verb}`) {
    case 'app import': {
      if (operand === undefined) throw new UsageError('app import takes a FILE')
      const file = operand === '-' ? 'standard input' : operand
      return { command: 'app import', source: await readSource(operand, outside), file, options }
    }
    case 'app check':
    case 'app export': {
      if (operand === undefined) throw new UsageError(`app ${verb} takes an APP`)
      return { command: verb === 'check' ? 'app check' : 'app export', app: operand, options }
    }
    case 'app bind-upstream':
      if (operand === undefined) throw new UsageError('app bind-upstream takes an APP')
      return { command: 'app bind-upstream', app: operand, ...(await parseUpstream(given, outside)), options }
    case 'app unbind-upstream':
      if (operand === undefined) throw new UsageError('app unbind-upstream takes an APP')
      return { command: 'app unbind-upstream', app: operand, options }
    case 'app access':
      if (operand === undefined) throw new UsageError('app access takes an APP')
      return { command: 'app access', app: operand, change: parseAccessChange(given), options }
    case 'external block':
    case 'external unblock':
    case 'external groups':
      return { command: 'external change', ...parseExternalChange(verb, operand, given), options }
    case 'binding list':
      return { command: 'binding list', options }
    case 'binding set': {
      const subject = parseSubject(verb, positionals.slice(2))
      const target = await parseTarget(subject, given, outside)
      return { command: 'binding set', subject, target, key: await parseKey(given, outside), options }
    }
    case 'binding remove':
      return { command: 'binding remove', subject: parseSubject(verb, positionals.slice(2)), options }
    case 'app list':
      return { command: 'app list', options }
    case 'account create': {
      if (options.email === undefined || options.name === undefined) {
        throw new UsageError('account create takes --email and --name')
      }
      if (!isEmail(options.email)) throw new UsageError('--email must be an email address')
      return { command: 'account create', password: (await outside.readStdin('secret')).replace(/\r?\n$/, ''), options }
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
    case 'run show':
      if (operand === undefined || !isUuid(operand))
        throw new UsageError('run show takes a RUN_ID, a UUID as streams and audit rows tell it')
      return { command: 'run show', id: operand, options }
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
        confirm: { type: 'boolean' },
        'include-secret': { type: 'boolean' },
        ...BINDING_OPTIONS,
        ...ACCESS_OPTIONS,
      },
    })
    return { values: v.parse(Options, values), given: values, positionals }
  } catch (error) {
    if (error instanceof v.ValiError) throw new UsageError('--role must be owner, admin, editor or normal')
    throw refusedWords(error)
  }
}
