import { RevokedReply, SessionsReply } from '../api-schemas.ts'
import type { Command, CommandContext } from '../command.ts'
import { EXIT, type ExitCode, usageFailure } from '../terminal-failure.ts'
import { isUuid } from '../uuid.ts'

/** The caller's own terminals: see them, end one. */
export const sessions: Command = {
  name: 'sessions',
  summary: 'list the terminals signed in as you, or end one',
  usage: '[revoke ID] [--page N] [--limit N]',
  options: { page: { type: 'string' }, limit: { type: 'string' } },
  optionHelp: [
    ['revoke ID', 'end that session; its next request is refused'],
    ['--page N, --limit N', 'which page, and how many a page (100)'],
  ],
  maxPositionals: 2,
  async carryOut(context) {
    const [verb, id] = context.args.positionals
    if (verb === undefined || (verb === 'list' && id === undefined)) return list(context)
    if (verb !== 'revoke' || id === undefined) throw usageFailure('latchkey sessions, or latchkey sessions revoke ID')
    return revoke(context, id)
  },
}

async function list({ args, out, signedIn }: CommandContext): Promise<ExitCode> {
  const query = { page: args.text('page'), limit: args.text('limit') }
  const found = await signedIn().call({ method: 'GET', path: '/account/sessions', query }, SessionsReply)
  if (args.flag('json')) {
    out.json(found)
    return EXIT.ok
  }
  out.table(
    ['', 'ID', 'LABEL', 'CLIENT', 'LAST USED', 'EXPIRES'],
    found.data.map((row) => [
      row.current ? '*' : '',
      row.id,
      row.device_label,
      row.client_id,
      row.last_used_at ?? 'never',
      row.expires_at,
    ]),
  )
  out.note(`${found.data.length} of ${found.total}${found.has_more ? `; more with --page ${found.page + 1}` : ''}`)
  return EXIT.ok
}

async function revoke({ args, out, signedIn }: CommandContext, id: string): Promise<ExitCode> {
  if (!isUuid(id)) throw usageFailure('ID is the id that latchkey sessions shows')
  const path = `/account/sessions/${id}`
  const reply = await signedIn().call({ method: 'DELETE', path }, RevokedReply)
  if (args.flag('json')) out.json(reply)
  else out.line(`Revoked ${id}`)
  return EXIT.ok
}
