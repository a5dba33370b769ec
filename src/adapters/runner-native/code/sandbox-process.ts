import { fork } from 'node:child_process'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SandboxReply, SandboxWork } from './sandbox-messages.ts'

/** One process that runs foreign code. */
export type Child = {
  /** Resolves true once it takes jobs, false when it died before. */
  readonly ready: Promise<boolean>
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>
  isAlive(): boolean
  /** One job at a time. Null when the process died over it. */
  ask(work: SandboxWork): Promise<SandboxReply | null>
  kill(): void
}

/** Where JavaScript and templates run. */
export function startJavaScriptChild(): Child {
  const packages = ['quickjs-emscripten', 'quickjs-emscripten-core', '@jitl', '@huggingface/jinja']
  return startChild(
    fileURLToPath(new URL('./sandbox-child.ts', import.meta.url)),
    ['quickjs-emscripten', '@huggingface/jinja'],
    packages,
    128,
  )
}

/** Where Python runs; its own memory is capped within. */
export function startPythonChild(): Child {
  return startChild(fileURLToPath(new URL('./python-child.ts', import.meta.url)), ['pyodide'], ['pyodide'], 256)
}

/**
 * Starts a child without environment, without network-worthy secrets, and with read access to its own script and its
 * interpreters only. It does not keep the parent alive while idle.
 */
function startChild(script: string, entries: readonly string[], packages: readonly string[], heapMb: number): Child {
  const places = entries.map((name) => `${name}=${import.meta.resolve(name)}`)
  const child = fork(script, places, {
    env: {},
    execArgv: [
      '--permission',
      ...readable(script, entries, packages).map((path) => `--allow-fs-read=${path}`),
      '--disallow-code-generation-from-strings',
      '--no-warnings',
      '--import',
      new URL('./sandbox-packages.ts', import.meta.url).href,
      `--max-old-space-size=${heapMb}`,
    ],
    // Nothing it prints is worth a log line that its author could write.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'json',
  })
  let alive = true
  let nextId = 1
  let answer: ((reply: SandboxReply | null) => void) | null = null
  const started = Promise.withResolvers<boolean>()
  const gone = Promise.withResolvers<void>()
  const end = () => {
    alive = false
    started.resolve(false)
    answer?.(null)
    gone.resolve()
  }
  child.on('message', (message: 'ready' | SandboxReply) => {
    if (message === 'ready') started.resolve(true)
    else answer?.(message)
  })
  child.once('exit', end)
  child.on('error', end)

  return {
    ready: started.promise,
    gone: gone.promise,
    isAlive: () => alive,
    async ask(work) {
      if (!alive) return null
      const id = nextId++
      child.ref()
      child.channel?.ref()
      const reply = await new Promise<SandboxReply | null>((resolve) => {
        answer = (said) => {
          // A reply to an earlier job is no reply to this one.
          if (said === null || said.id === id) resolve(said)
        }
        child.send({ ...work, id }, (error) => {
          if (error !== null) resolve(null)
        })
      })
      answer = null
      child.unref()
      child.channel?.unref()
      return reply
    },
    kill: () => {
      // Whoever waits for it to be gone must still be there then.
      child.ref()
      child.kill('SIGKILL')
    },
  }
}

/** The folder of the script, and the packages it loads. */
function readable(script: string, entries: readonly string[], packages: readonly string[]): readonly string[] {
  const roots = entries.map((name) => {
    const entry = fileURLToPath(import.meta.resolve(name))
    return entry.slice(0, entry.lastIndexOf(`${sep}node_modules${sep}`) + `${sep}node_modules${sep}`.length)
  })
  const folders = [...new Set(roots)].flatMap((root) => packages.map((name) => join(root, name, '*')))
  return [join(dirname(script), '*'), ...folders]
}
