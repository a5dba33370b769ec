import type { Command } from './command.ts'

const EVERYWHERE: readonly (readonly [string, string])[] = [
  ['--host URL', 'the server: else LATCHKEY_HOST, else the last sign-in, else http://127.0.0.1:5001'],
  ['--json', 'data as JSON on stdout'],
  ['--insecure', 'allow plain http to another machine'],
  ['-h, --help', 'this text'],
]
const SURROUNDINGS: readonly (readonly [string, string])[] = [
  ['LATCHKEY_HOST', 'the server to talk to'],
  ['LATCHKEY_TOKEN', 'a token to use instead of the stored one'],
  ['XDG_CONFIG_HOME', 'tokens are kept below it in latchkey/, readable by you only'],
]
const EXITS = 'Exit codes: 0 ok, 1 failure, 2 usage, 4 not signed in or not allowed, 7 rate limited, 130 interrupted'

/** The help of one command. */
export function commandHelp(command: Command): string {
  const usage = `Usage: latchkey ${command.name} ${command.usage}`.trimEnd()
  const own = command.optionHelp.length === 0 ? [] : [...columns(command.optionHelp), '']
  const rest = [...columns(EVERYWHERE), '', 'Environment:', ...columns(SURROUNDINGS), '', EXITS]
  return [usage, '', sentence(command.summary), '', ...own, ...rest].join('\n')
}

/** The client's part of the overall help, one line a command. */
export function commandList(commands: readonly Command[]): string {
  return columns(commands.map(({ name, summary }) => [name, summary] as const)).join('\n')
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
