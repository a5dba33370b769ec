import { ApiRefusal, ServerUnreachable } from '../api-refusal.ts'
import { RevokedReply } from '../api-schemas.ts'
import type { Command, CommandContext } from '../command.ts'
import { EXIT, TerminalFailure } from '../terminal-failure.ts'

const HTTP_UNAUTHORIZED = 401

/** Ends the session on the server first, then forgets the token: the other order would leave a live token behind. */
export const logout: Command = {
  name: 'logout',
  summary: 'end this session on the server and forget its token',
  usage: '[--local]',
  options: { local: { type: 'boolean' } },
  optionHelp: [['--local', 'only forget the token here; the session lives on until it expires or is revoked']],
  maxPositionals: 0,
  async carryOut(context) {
    const { args, out, server, credentials } = context
    const revoked = args.flag('local') ? false : await revoke(context)
    if (context.tokenSource === 'stored' || args.flag('local')) await credentials.forget(server)
    if (args.flag('json')) out.json({ host: server, revoked })
    else out.line(revoked ? `Signed out of ${server}` : `Forgot the token for ${server}`)
    return EXIT.ok
  },
}

/** False when the session had ended before. */
async function revoke(context: CommandContext): Promise<boolean> {
  try {
    await context.signedIn().call({ method: 'DELETE', path: '/account/sessions/self' }, RevokedReply)
    return true
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === HTTP_UNAUTHORIZED) return false
    if (error instanceof ServerUnreachable) {
      const advice = 'you are still signed in. Try again later, or forget the token with latchkey logout --local'
      throw new TerminalFailure(EXIT.failure, error.token, `${error.message}; ${advice}`, { cause: error })
    }
    throw error
  }
}
