import { DescribeReply } from '../api-schemas.ts'
import { findAppId } from '../app-lookup.ts'
import type { Command } from '../command.ts'
import { EXIT, usageFailure } from '../terminal-failure.ts'

/** What an app is and what it wants to be given. */
export const describe: Command = {
  name: 'describe',
  summary: 'show what an app is and which inputs it takes',
  usage: 'APP [--workspace ID]',
  options: { workspace: { type: 'string' } },
  optionHelp: [
    ['APP', 'an id, or a name that only one app carries'],
    ['--workspace ID', 'where to look the name up'],
  ],
  maxPositionals: 1,
  async carryOut({ args, out, signedIn }) {
    const [app] = args.positionals
    if (app === undefined) throw usageFailure('which app? latchkey describe APP')
    const api = signedIn()
    const id = await findAppId(api, app, args.text('workspace'))
    const told = await api.call({ method: 'GET', path: `/apps/${id}/describe` }, DescribeReply)
    if (args.flag('json')) {
      out.json(told)
      return EXIT.ok
    }
    const { info, input_schema, preflight = [] } = told
    out.line(`${info.name}  (${info.mode})`)
    out.line(info.id)
    if (info.description !== '') out.line(info.description)
    const { query, inputs } = input_schema.properties
    if (query !== undefined) out.line('QUERY  required')
    const rows = Object.entries(inputs?.properties ?? {}).map(([name, input]) => [
      name,
      input.enum?.join('|') ?? input.type ?? 'any',
      inputs?.required.includes(name) ? 'required' : 'optional',
      input.title ?? '',
    ])
    if (rows.length > 0) out.table(['INPUT', 'TYPE', '', 'LABEL'], rows)
    else out.note('It takes no inputs.')
    for (const { node, title, reason } of preflight) out.note(`It cannot run yet: ${title || node}: ${reason}`)
    return EXIT.ok
  },
}
