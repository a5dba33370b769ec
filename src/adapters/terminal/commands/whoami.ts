import { AccountReply } from '../api-schemas.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../terminal-failure.ts'

/** Who the token speaks for, and where. */
export const whoami: Command = {
  name: 'whoami',
  summary: 'show who you are signed in as, and your workspaces',
  usage: '',
  options: {},
  optionHelp: [],
  maxPositionals: 0,
  async carryOut({ args, out, server, signedIn }) {
    const me = await signedIn().call({ method: 'GET', path: '/account' }, AccountReply)
    if (args.flag('json')) {
      out.json(me)
      return EXIT.ok
    }
    const name =
      me.account === null
        ? `${me.subject_email} (through ${me.subject_issuer})`
        : `${me.account.name} <${me.account.email}>`
    out.line(`${name} at ${server}`)
    for (const { id, name, role } of me.workspaces) {
      out.line(`${id === me.default_workspace_id ? '*' : ' '} ${id}  ${name}  (${role})`)
    }
    return EXIT.ok
  },
}
