import { readFile } from 'node:fs/promises'
import type { Args } from './args.ts'
import { usageFailure } from './terminal-failure.ts'
import { unreadableFile } from './unreadable-file.ts'

/**
 * The `inputs` of a run: `--inputs` (JSON, `@file` or `-` for stdin) with each `--input k=v` laid over it.
 * @throws TerminalFailure (usage) when either cannot be read.
 */
export async function readInputs(args: Args, readStdin: () => Promise<string>): Promise<Record<string, unknown>> {
  const whole = args.text('inputs')
  const inputs = whole === undefined ? {} : parseObject(await textOf(whole, readStdin))
  const pairs = args.texts('input').map((pair): [string, string] => {
    const at = pair.indexOf('=')
    if (at < 1) throw usageFailure('--input wants name=value')
    return [pair.slice(0, at), pair.slice(at + 1)]
  })
  return { ...inputs, ...Object.fromEntries(pairs) }
}

async function textOf(source: string, readStdin: () => Promise<string>): Promise<string> {
  if (source === '-') return readStdin()
  if (!source.startsWith('@')) return source
  try {
    return await readFile(source.slice(1), 'utf8')
  } catch (error) {
    throw unreadableFile(source.slice(1), error) ?? error
  }
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw usageFailure('--inputs is not valid JSON')
    throw error
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageFailure('--inputs wants a JSON object')
  }
  return { ...value }
}
