/** What a script may rely on. */
export const EXIT = { ok: 0, failure: 1, usage: 2, auth: 4, rateLimited: 7, interrupted: 130 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** An expected end of a command: one sentence for the person, one exit code for the script. */
export class TerminalFailure extends Error {
  override readonly name = 'TerminalFailure'
  readonly exitCode: ExitCode
  /** The server's token, or our own, for `--json`. */
  readonly token: string

  constructor(exitCode: ExitCode, token: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
    this.token = token
  }
}

/** The command line is wrong: exit 2. */
export function usageFailure(message: string): TerminalFailure {
  return new TerminalFailure(EXIT.usage, 'usage', message)
}
