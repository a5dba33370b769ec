import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Mismatch } from './mismatch.ts'

const LAUNCHER = join(import.meta.dirname, '../../bin/latchkey.js')
const KILL_AFTER_MS = 5000
const { NODE_COMPILE_CACHE } = process.env
/** Where the caller keeps compiled code: in a home of its own, each program would compile everything again. */
const COMPILED = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }

type Child = ChildProcessByStdio<null, Readable, Readable>
export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** A started `latchkey`, its output kept and shown. */
export type Program = {
  readonly ended: Promise<Ended>
  /** Resolves to the first match in what it has written; rejects when it ends without one. */
  said(pattern: RegExp): Promise<string>
  stop(): Promise<void>
}

/** Starts programs in `cwd`, with nothing of the caller's environment that could reach another server or database. */
export function createPrograms(cwd: string, env: Readonly<Record<string, string>>, show: (text: string) => void) {
  const running = new Set<Program>()
  return {
    start(words: readonly string[]): Program {
      const { PATH = '' } = process.env
      const child = spawn(process.execPath, [LAUNCHER, ...words], {
        cwd,
        env: { PATH, HOME: cwd, ...COMPILED, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const program = follow(child, show)
      running.add(program)
      void program.ended.finally(() => running.delete(program))
      return program
    },
    async stopAll(): Promise<void> {
      await Promise.all([...running].map((program) => program.stop()))
    },
  }
}

function follow(child: Child, show: (text: string) => void): Program {
  let stdout = ''
  let stderr = ''
  const listeners = new Set<() => void>()
  const heard = (text: string) => {
    show(text)
    for (const listener of listeners) listener()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    heard(text)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    heard(text)
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, stdout, stderr }))
  })
  return {
    ended,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(stdout + stderr)
          if (found === null) return
          listeners.delete(look)
          resolve(found[1] ?? found[0])
        }
        listeners.add(look)
        look()
        const gone = () => reject(new Mismatch(`a program ended without saying ${pattern}:\n${stdout}${stderr}`))
        ended.then(gone, reject)
      }),
    async stop() {
      const kill = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
      child.kill('SIGTERM')
      await ended.finally(() => clearTimeout(kill))
    },
  }
}
