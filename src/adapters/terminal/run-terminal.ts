import { createApiClient } from './api-client.ts'
import { type Args, parseCommandArgs } from './args.ts'
import type { Command, CommandContext } from './command.ts'
import { apps } from './commands/apps.ts'
import { describe } from './commands/describe.ts'
import { login } from './commands/login.ts'
import { logout } from './commands/logout.ts'
import { run } from './commands/run.ts'
import { sessions } from './commands/sessions.ts'
import { whoami } from './commands/whoami.ts'
import { createCredentialStore } from './credentials.ts'
import { commandHelp, commandList } from './help.ts'
import { createOutput, type Output } from './output.ts'
import { printableJson } from './printable.ts'
import { DEFAULT_SERVER, serverAddress } from './server-address.ts'
import { EXIT, TerminalFailure, usageFailure } from './terminal-failure.ts'
import type { TerminalIo } from './terminal-io.ts'

const TOKEN_SHAPE = /^[\w-]{1,128}$/
/** Signing in would change nothing: the variable goes before what is stored. */
const GIVEN_REFUSED =
  'the token in LATCHKEY_TOKEN is wrong, expired or revoked: give another, or unset it and run latchkey login'
const COMMANDS: readonly Command[] = [login, logout, whoami, apps, describe, run, sessions]

/** What the client's commands are called. */
export const TERMINAL_COMMANDS: readonly string[] = COMMANDS.map(({ name }) => name)

/** Whether `name` is a command of the client, so that the rest stays the server's. */
export function isTerminalCommand(name: string | undefined): boolean {
  return COMMANDS.some((command) => command.name === name)
}

/** One line a client command, for the help of the whole program. */
export function terminalCommandList(): string {
  return commandList(COMMANDS)
}

/** Carries out one client command, `argv` without node and script, and resolves to the exit code; never rejects. */
export async function runTerminal(argv: readonly string[], io: TerminalIo): Promise<number> {
  const [name, ...words] = argv
  const out = createOutput(io)
  const asJson = words.includes('--json')
  try {
    const command = COMMANDS.find((command) => command.name === name)
    if (command === undefined) throw usageFailure(`the client commands are:\n${commandList(COMMANDS)}`)
    const args = parseCommandArgs(words, command.options, command.maxPositionals)
    if (args.flag('help')) {
      io.stdout.write(`${commandHelp(command)}\n`)
      return EXIT.ok
    }
    return await command.carryOut(await openContext(io, out, args))
  } catch (error) {
    out.status('')
    if (io.signal.aborted) return EXIT.interrupted
    const failure = error instanceof TerminalFailure ? error : unforeseen(error)
    if (asJson) io.stderr.write(`${errorLine(failure)}\n`)
    else for (const line of failure.message.split('\n')) out.note(line)
    if (failure.exitCode === EXIT.usage && !asJson) out.note(`latchkey ${name ?? ''} --help shows what is possible`)
    return failure.exitCode
  }
}

async function openContext(io: TerminalIo, out: Output, args: Args): Promise<CommandContext> {
  const credentials = createCredentialStore(io.configDir, io.randomBytes)
  const typed = args.text('host') ?? present(io.env.LATCHKEY_HOST) ?? (await credentials.lastServer()) ?? DEFAULT_SERVER
  const server = serverAddress(typed, args.flag('insecure'))
  const given = present(io.env.LATCHKEY_TOKEN)
  // A header that fetch refuses is quoted in its error, the token with it.
  if (given !== undefined && !TOKEN_SHAPE.test(given)) throw usageFailure('LATCHKEY_TOKEN does not look like a token')
  const stored = given === undefined ? ((await credentials.find(server))?.token ?? null) : null
  const token = given ?? stored
  return {
    io,
    out,
    args,
    server,
    credentials,
    tokenSource: given !== undefined ? 'environment' : stored !== null ? 'stored' : 'none',
    anonymous: () => createApiClient(io, server, null),
    signedIn() {
      if (token !== null) return createApiClient(io, server, token, given === undefined ? null : GIVEN_REFUSED)
      throw new TerminalFailure(EXIT.auth, 'not_signed_in', `not signed in to ${server}: run latchkey login`)
    },
  }
}

function present(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value
}

/** A full disk, a directory that may not be read: the system's own words, without a stack. */
function unforeseen(error: unknown): TerminalFailure {
  const message = error instanceof Error ? error.message : String(error)
  return new TerminalFailure(EXIT.failure, 'failure', message, { cause: error })
}

function errorLine({ token, message, exitCode }: TerminalFailure): string {
  return printableJson({ error: token, message, exit_code: exitCode })
}
