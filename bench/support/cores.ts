import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
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

const TICKS_PER_S = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** User and system time that all threads of a process have used, in seconds (proc(5), fields 14 and 15). */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the program's name and may hold spaces; fields are counted after its bracket.
  const [utime, stime] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  if (utime === undefined || stime === undefined) throw new Error('cannot read the CPU time of the server')
  return (utime + stime) / TICKS_PER_S
}

/** The resident set of a process, in MB of a million bytes (proc(5), VmRSS). */
export function residentMbOf(pid: number): number {
  const kb = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  if (Number.isNaN(kb)) throw new Error('cannot read the memory of the server')
  return (kb * 1024) / 1e6
}
