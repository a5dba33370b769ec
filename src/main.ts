import { existsSync } from 'node:fs'
import { asksForRunShow, COMMAND_WORDS } from '#adapters/admin/command-words.ts'
import { UnreadableFile } from '#adapters/admin/outside.ts'
import { ADMIN_USAGE, asksForHelp, usageFor } from '#adapters/admin/usage.ts'
import { UsageError } from '#adapters/admin/usage-error.ts'
import { createLog } from '#adapters/telemetry/log.ts'
import { processIo } from '#adapters/terminal/process-io.ts'
import {
  isTerminalCommand,
  runTerminal,
  TERMINAL_COMMANDS,
  terminalCommandList,
} from '#adapters/terminal/run-terminal.ts'
import { ConfigError, loadConfig } from './config.ts'
import { nearestWord } from './nearest-word.ts'
import { Interrupted } from './read-stdin.ts'
import { startFault } from './start-fault.ts'
import { openTracing } from './tracing.ts'
import { packageVersion } from './version.ts'

const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** First words that are the operators', as opposed to the client's. */
const OPERATORS = [
  'serve',
  'migrate',
  'doctor',
  ...Object.keys(COMMAND_WORDS).flatMap((name) => name.split(' ')[0] ?? []),
]

function unknownCommand(typed: string): UsageError {
  const meant = nearestWord(typed, [...OPERATORS, ...TERMINAL_COMMANDS, 'help', 'version'])
  return new UsageError(`unknown command: ${typed}${meant === null ? '' : `; did you mean latchkey ${meant}?`}`)
}

/** Dispatches the command line; resolves to the exit status. */
async function run(argv: readonly string[]): Promise<number> {
  const [command = 'serve', ...rest] = argv
  if (isTerminalCommand(command) && !asksForRunShow(argv))
    return runTerminal(argv, processIo(process, await packageVersion()))
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
  if (['version', '--version', '-v'].includes(command)) {
    say(await packageVersion())
    return EXIT.ok
  }
  // Before the configuration is read, whose faults would hide the slip.
  if (!OPERATORS.includes(command)) throw unknownCommand(command)
  if (['serve', 'migrate'].includes(command) && rest.length > 0) {
    throw new UsageError(`${command} takes no arguments: ${rest.join(' ')}`)
  }
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
  // Each only here: nobody pays for loading what another command needs.
  if (command === 'serve') {
    const { serve } = await import('./server.ts')
    const tracing = await openTracing(config.tracing, await packageVersion())
    const log = createLog(config.logLevel, tracing?.traceId)
    for (const warning of warnings) log.warn(warning)
    await serve(config, log, say, tracing)
    return EXIT.ok
  }
  const { administer, migrateOnly } = await import('./administer.ts')
  const reply = command === 'migrate' ? await migrateOnly(config) : await administer(config, argv, process.env)
  for (const line of reply.lines)
    (reply.ok || reply.isAnswer === true ? process.stdout : process.stderr).write(`${line}\n`)
  if (reply.note !== undefined) process.stderr.write(`${reply.note}\n`)
  return reply.ok ? EXIT.ok : EXIT.failed
}

/** What went wrong before anything served, in one line a fault. */
function complain(error: unknown): number {
  if (error instanceof Interrupted) return EXIT.interrupted
  if (error instanceof UsageError) {
    const usage = usageFor(process.argv.slice(2))
    // All commands at once would push the reason off the screen.
    const shown = usage === ADMIN_USAGE ? 'latchkey help lists the commands\n' : `\n${usage}`
    process.stderr.write(`latchkey: ${error.message}\n${shown}`)
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
