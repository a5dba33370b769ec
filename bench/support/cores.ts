import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** The measured server has one core to itself; whoever makes the load uses the other. */
const SERVER_CORE = 0
const LOAD_CORE = 1

export const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0

/** The command that runs `command` on the servers' core, or another. */
export function onServerCore(command: readonly string[], core = SERVER_CORE): readonly string[] {
  return canPin ? ['taskset', '-c', String(core), ...command] : command
}

/** Moves this process, every thread of it, off the servers' core. */
export function moveToLoadCore(): void {
  if (canPin) execFileSync('taskset', ['-acp', String(LOAD_CORE), String(process.pid)])
}

/**
 * Time that all threads of a process have been on a core, user and system, in seconds. By `schedstat`, which counts
 * nanoseconds: `stat` counts hundredths of a second, and some rounds take few of those.
 */
export function cpuSecondsOf(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`)
  const nanoseconds = tasks.map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
  )
  const sum = nanoseconds.reduce((total, one) => total + one, 0)
  if (!(sum > 0)) throw new Error('cannot read the CPU time of the server')
  return sum / 1e9
}

/** The resident set of a process, in MB of a million bytes (proc(5), VmRSS). */
export function residentMbOf(pid: number): number {
  const kb = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  if (Number.isNaN(kb)) throw new Error('cannot read the memory of the server')
  return (kb * 1024) / 1e6
}
