import { listApps } from '../app-lookup.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../terminal-failure.ts'

/** The catalogue, a page at a time. */
export const apps: Command = {
  name: 'apps',
  summary: 'list the apps you may run',
  usage: '[--workspace ID] [--mode M] [--name S] [--page N] [--limit N]',
  options: {
    workspace: { type: 'string' },
    mode: { type: 'string' },
    name: { type: 'string' },
    page: { type: 'string' },
    limit: { type: 'string' },
  },
  optionHelp: [
    ['--workspace ID', 'of this workspace instead of your default one'],
    ['--mode M', 'chat, agent-chat, advanced-chat, completion or workflow'],
    ['--name S', 'whose name contains S, whatever its case'],
    ['--page N, --limit N', 'which page, and how many a page (20)'],
  ],
  maxPositionals: 0,
  async carryOut({ args, out, signedIn }) {
    const query = {
      mode: args.text('mode'),
      name: args.text('name'),
      page: args.text('page'),
      limit: args.text('limit'),
    }
    const found = await listApps(signedIn(), args.text('workspace'), query)
    if (args.flag('json')) {
      out.json(found)
      return EXIT.ok
    }
    if (found.data.length > 0) {
      out.table(
        ['ID', 'MODE', 'NAME', 'DESCRIPTION'],
        found.data.map(({ id, mode, name, description }) => [id, mode, name, shortened(description)]),
      )
    }
    out.note(`${found.data.length} of ${found.total}${found.has_more ? `; more with --page ${found.page + 1}` : ''}`)
    return EXIT.ok
  },
}

const MAX_DESCRIPTION = 60

function shortened(text: string): string {
  return text.length > MAX_DESCRIPTION ? `${text.slice(0, MAX_DESCRIPTION - 1)}…` : text
}
