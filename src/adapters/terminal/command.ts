import type { ApiClient } from './api-client.ts'
import type { Args, OptionSpecs } from './args.ts'
import type { CredentialStore } from './credentials.ts'
import type { Output } from './output.ts'
import type { ExitCode } from './terminal-failure.ts'
import type { TerminalIo } from './terminal-io.ts'

/** What a command works with, besides its own arguments. */
export type CommandContext = {
  readonly io: TerminalIo
  readonly out: Output
  readonly args: Args
  /** The base URL this call is for. */
  readonly server: string
  readonly credentials: CredentialStore
  readonly tokenSource: 'environment' | 'stored' | 'none'
  /** With the caller's token. @throws TerminalFailure (auth) when there is none. */
  signedIn(): ApiClient
  anonymous(): ApiClient
}

/** One command as data: `--help` is written from the same words that parse it. */
export type Command = {
  readonly name: string
  readonly summary: string
  /** What follows the name, as the help shows it. */
  readonly usage: string
  readonly options: OptionSpecs
  readonly optionHelp: readonly (readonly [option: string, meaning: string])[]
  readonly maxPositionals: number
  readonly carryOut: (context: CommandContext) => Promise<ExitCode>
}
