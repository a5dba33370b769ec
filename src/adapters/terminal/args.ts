import { type ParseArgsConfig, parseArgs } from 'node:util'
import { usageFailure } from './terminal-failure.ts'

export type OptionSpecs = NonNullable<ParseArgsConfig['options']>

/** What a command was called with. */
export type Args = {
  readonly positionals: readonly string[]
  text(name: string): string | undefined
  texts(name: string): readonly string[]
  flag(name: string): boolean
}

const EVERYWHERE: OptionSpecs = {
  host: { type: 'string' },
  insecure: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
}

/**
 * Parses what follows the command's name; every command also takes `--host`, `--insecure`, `--json` and `--help`.
 * @throws TerminalFailure (usage) for an unknown option, a missing value or too many words.
 */
export function parseCommandArgs(argv: readonly string[], options: OptionSpecs, maxPositionals: number): Args {
  const { values, positionals } = parseStrictly(argv, options)
  const args: Args = {
    positionals,
    text: (name) => {
      const value = values[name]
      return typeof value === 'string' ? value : undefined
    },
    texts: (name) => {
      const value = values[name]
      return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
    },
    flag: (name) => values[name] === true,
  }
  if (positionals.length > maxPositionals && !args.flag('help')) {
    throw usageFailure(`too many words: ${positionals.slice(maxPositionals).join(' ')} (quote a text that has spaces)`)
  }
  return args
}

function parseStrictly(argv: readonly string[], options: OptionSpecs) {
  try {
    return parseArgs({ args: [...argv], options: { ...EVERYWHERE, ...options }, allowPositionals: true, strict: true })
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
      // Node goes on to tell how a positional argument could begin with a dash, which nobody who mistyped an option wants.
      throw usageFailure(error.message.replace(/\. To specify a positional argument.*$/s, ''))
    }
    throw error
  }
}
