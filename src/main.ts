import { existsSync } from 'node:fs'
import { UnreadableFile } from '#adapters/admin/outside.ts'
import { ADMIN_USAGE, asksForHelp, usageFor } from '#adapters/admin/usage.ts'
import { UsageError } from '#adapters/admin/usage-error.ts'
import { createLog } from '#adapters/telemetry/log.ts'
import { processIo } from '#adapters/terminal/process-io.ts'
import { isTerminalCommand, runTerminal, terminalCommandList } from '#adapters/terminal/run-terminal.ts'
import { isUuid } from '#domain/uuid.ts'
import { ConfigError, loadConfig } from './config.ts'
import { startFault } from './start-fault.ts'
import { openTracing } from './tracing.ts'
import { packageVersion } from './version.ts'

const EXIT = { ok: 0, failed: 1, usage: 2 } as const

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Dispatches the command line; resolves to the exit status. */
async function run(argv: readonly string[]): Promise<number> {
  const [command = 'serve', ...rest] = argv
  const isOperators = command === 'run' && rest[0] === 'show' && isUuid(rest[1] ?? '')
  if (isTerminalCommand(command) && !isOperators) return runTerminal(argv, processIo(process, await packageVersion()))
  // Whoever reads only the first lines (`| head`) leaves; the rest is then said to nobody.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  if (['help', '--help', '-h'].includes(command)) {
    say(`${ADMIN_USAGE}\n${terminalCommandList()}`)
    return EXIT.ok
  }
  if (asksForHelp(rest)) {
    process.stdout.write(usageFor(argv))
    return EXIT.ok
  }
  if (command === '--version') {
    say(await packageVersion())
    return EXIT.ok
  }
  if (command === 'serve' && rest.length > 0) throw new UsageError(`serve takes no arguments: ${rest.join(' ')}`)
  if (command === 'app' && rest[0] === 'try') {
    const { tryApps } = await import('./try-apps.ts')
    const isGood = await tryApps(rest.slice(1), (text) => process.stdout.write(text))
    return isGood ? EXIT.ok : EXIT.failed
  }
  if (existsSync('.env')) process.loadEnvFile()
  if (command === 'doctor') {
    const { runDoctor } = await import('./doctor.ts')
    return (await runDoctor(rest, process.env, say)) ? EXIT.ok : EXIT.failed
  }
  const { config, warnings } = loadConfig(process.env)
  // Only here: a terminal command must not pay for loading the server.
  const { administer, migrateOnly, serve } = await import('./server.ts')
  if (command === 'serve') {
    const tracing = await openTracing(config.tracing, await packageVersion())
    const log = createLog(config.logLevel, tracing?.traceId)
    for (const warning of warnings) log.warn(warning)
    await serve(config, log, say, tracing)
    return EXIT.ok
  }
  const reply =
    command === 'migrate' && rest.length === 0 ? await migrateOnly(config) : await administer(config, argv, process.env)
  for (const line of reply.lines)
    (reply.ok || reply.isAnswer === true ? process.stdout : process.stderr).write(`${line}\n`)
  return reply.ok ? EXIT.ok : EXIT.failed
}

/** What went wrong before anything served, in one line a fault. */
function complain(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`latchkey: ${error.message}\n\n${usageFor(process.argv.slice(2))}`)
    return EXIT.usage
  }
  if (error instanceof ConfigError) {
    for (const fault of error.faults) process.stderr.write(`latchkey: ${fault}\n`)
    return EXIT.failed
  }
  const reason = error instanceof UnreadableFile ? error.message : startFault(error)
  process.stderr.write(`latchkey: ${reason}\n`)
  return EXIT.failed
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  process.exitCode = complain(error)
}
