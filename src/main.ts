import { existsSync } from 'node:fs'
import { ADMIN_USAGE, UsageError } from '#adapters/admin/parse-command.ts'
import { createLog } from '#adapters/telemetry/log.ts'
import { processIo } from '#adapters/terminal/process-io.ts'
import { isTerminalCommand, runTerminal, terminalCommandList } from '#adapters/terminal/run-terminal.ts'
import { ConfigError, loadConfig } from './config.ts'
import { packageVersion } from './version.ts'

const EXIT = { ok: 0, failed: 1, usage: 2 } as const

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Dispatches the command line; resolves to the exit status. */
async function run(argv: readonly string[]): Promise<number> {
  const [command = 'serve', ...rest] = argv
  if (isTerminalCommand(command)) return runTerminal(argv, processIo(process, await packageVersion()))
  if (['help', '--help', '-h'].includes(command)) {
    say(`${ADMIN_USAGE}\n${terminalCommandList()}`)
    return EXIT.ok
  }
  if (command === '--version') {
    say(await packageVersion())
    return EXIT.ok
  }
  if (existsSync('.env')) process.loadEnvFile()
  const { config, warnings } = loadConfig(process.env)
  const log = createLog(config.logLevel)
  for (const warning of warnings) log.warn(warning)
  // Only here: a terminal command must not pay for loading the server.
  const { administer, migrateOnly, serve } = await import('./server.ts')
  if (command === 'serve') {
    await serve(config, log, say)
    return EXIT.ok
  }
  const reply = command === 'migrate' && rest.length === 0 ? await migrateOnly(config) : await administer(config, argv)
  for (const line of reply.lines) (reply.ok ? process.stdout : process.stderr).write(`${line}\n`)
  return reply.ok ? EXIT.ok : EXIT.failed
}

/** What went wrong before anything served, in one line a fault; a stack only for what nobody expected. */
function complain(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`latchkey: ${error.message}\n\n${ADMIN_USAGE}`)
    return EXIT.usage
  }
  if (error instanceof ConfigError) {
    for (const fault of error.faults) process.stderr.write(`latchkey: ${fault}\n`)
    return EXIT.failed
  }
  process.stderr.write(`latchkey: ${reasonOf(error)}\n`)
  return EXIT.failed
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken; set PORT to another',
  EACCES: 'not allowed to use the data directory or the port; check DATA_DIR and PORT',
  ENOSPC: 'the disk is full; free some space for DATA_DIR',
  EROFS: 'DATA_DIR is on a read-only file system',
  ECONNREFUSED: 'the database does not answer; check DATABASE_URL',
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'DataDirLocked')
    return `${error.message}; stop it first, or set DATA_DIR to another folder`
  const known = causesOf(error).flatMap(({ code }) => (typeof code === 'string' ? (REASONS[code] ?? []) : []))
  if (known[0] !== undefined) return known[0]
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function causesOf(error: unknown): { code: unknown }[] {
  const found: { code: unknown }[] = []
  for (let at = error; at instanceof Error && found.length < 8; at = at.cause) {
    found.push({ code: 'code' in at ? at.code : undefined })
  }
  return found
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  process.exitCode = complain(error)
}
