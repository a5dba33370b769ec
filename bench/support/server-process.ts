import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { cpuSecondsOf, onServerCore, residentMbOf } from './cores.ts'

/** A server under measurement, alone on its core. */
export type ServerProcess = {
  readonly origin: string
  cpuSeconds(): number
  /** What it holds in memory, in MB of a million bytes. */
  residentMb(): number
  stop(): Promise<void>
}

const START_MS = 30_000
const PROBE_MS = 50
const PROBE_TIMEOUT_MS = 2_000

/**
 * Starts `node …script` on `port` and waits until `probe` answers 200.
 * @throws Error when it exits or does not answer in time
 */
export async function startServer(
  script: readonly string[],
  port: number,
  probe: string,
  env: Readonly<Record<string, string>>,
  core?: number,
): Promise<ServerProcess> {
  const [command = '', ...rest] = onServerCore([process.execPath, ...script], core)
  const child = spawn(command, rest, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const origin = `http://127.0.0.1:${port}`
  const pid = child.pid
  if (pid === undefined) throw new Error(`${script.join(' ')} does not start`)
  await answers(origin + probe, child)
  return {
    origin,
    // taskset becomes the program it starts, so the id is the server's.
    cpuSeconds: () => cpuSecondsOf(pid),
    residentMb: () => residentMbOf(pid),
    stop: () => stopped(child),
  }
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  const untilMs = Date.now() + START_MS
  while (Date.now() < untilMs) {
    if (child.exitCode !== null) throw new Error(`the server for ${url} exited with ${child.exitCode}`)
    const status = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).then(
      (response) => response.status,
      () => null,
    )
    if (status === 200) return
    await pause(PROBE_MS)
  }
  child.kill('SIGKILL')
  throw new Error(`${url} does not answer`)
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}
