import { randomBytes } from 'node:crypto'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EXIT } from './terminal-failure.ts'
import type { TerminalIo, TextSink } from './terminal-io.ts'

type Process = Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr' | 'env' | 'exit' | 'on'>

/** npm and shells pass the signal on to a child that the terminal has already told. */
const SAME_PRESS_MS = 500

/** The real surroundings. The first Ctrl-C ends the command in order, the second ends it at once. */
export function processIo(own: Process, version: string): TerminalIo {
  const interrupt = new AbortController()
  let firstAtMs = 0
  const onInterrupt = () => {
    if (interrupt.signal.aborted && Date.now() - firstAtMs > SAME_PRESS_MS) own.exit(EXIT.interrupted)
    if (!interrupt.signal.aborted) firstAtMs = Date.now()
    interrupt.abort()
  }
  own.on('SIGINT', onInterrupt).on('SIGTERM', onInterrupt)
  const configHome = own.env.XDG_CONFIG_HOME
  return {
    stdout: sink(own.stdout, () => interrupt.abort()),
    stderr: sink(own.stderr, () => interrupt.abort()),
    readStdin: async () => {
      const chunks: Buffer[] = []
      for await (const chunk of own.stdin) chunks.push(Buffer.from(chunk))
      return Buffer.concat(chunks).toString('utf8')
    },
    env: own.env,
    fetch: globalThis.fetch,
    now: Date.now,
    sleep: async (delayMs, signal) => delay(delayMs, undefined, { signal }),
    randomBytes,
    hostname: hostname(),
    // XDG: a relative path is to be ignored.
    configDir: join(configHome?.startsWith('/') ? configHome : join(homedir(), '.config'), 'latchkey'),
    version,
    signal: interrupt.signal,
  }
}

/** A reader that has gone away (`latchkey apps | head -1`) ends the command instead of crashing it. */
function sink(stream: NodeJS.WriteStream, onGone: () => void): TextSink {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') onGone()
    else throw error
  })
  return { isTTY: stream.isTTY === true, write: (text) => void stream.write(text) }
}
