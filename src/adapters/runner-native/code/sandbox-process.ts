import { fork } from 'node:child_process'
import { dirname, join, sep } from 'node:path'
import type { Readable, Writable } from 'node:stream'
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

/** What a child is made of, and what passes to and fro before it takes jobs. */
type Making = {
  readonly script: string
  /** Packages that the script names, and all of which it reads files. */
  readonly entries: readonly string[]
  readonly packages: readonly string[]
  readonly heapMb: number
  /** What its standard input holds. */
  readonly input?: Uint8Array
  /** Takes its standard output, all of it written before any foreign code came in. */
  readonly keep?: (output: Uint8Array) => void
}

/** More than any memory that is kept. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/** Where JavaScript runs. */
export function startJavaScriptChild(): Child {
  const packages = ['quickjs-emscripten', 'quickjs-emscripten-core', '@jitl']
  const script = fileURLToPath(new URL('./sandbox-child.ts', import.meta.url))
  return startChild({ script, entries: ['quickjs-emscripten'], packages, heapMb: 128 })
}

/**
 * Starts children for Python and for templates, whose own memory is capped within. The first one tells how an interpreter looks that has
 * just started; every later one begins there.
 */
export function createPythonStarter(): () => Child {
  const script = fileURLToPath(new URL('./python-child.ts', import.meta.url))
  const making = { script, entries: ['pyodide'], packages: ['pyodide'], heapMb: 256 }
  let kept: Uint8Array | null = null
  const keep = (output: Uint8Array) => {
    kept = output.length > 0 ? output : null
  }
  return () => startChild(kept === null ? { ...making, keep } : { ...making, input: kept })
}

/**
 * Starts a child without environment, without network-worthy secrets, and with read access to its own script and its
 * interpreters only. It does not keep the parent alive while idle.
 */
function startChild({ script, entries, packages, heapMb, input = new Uint8Array(), keep }: Making): Child {
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
    stdio: ['pipe', keep === undefined ? 'ignore' : 'pipe', 'ignore', 'ipc'],
    serialization: 'json',
  })
  if (child.stdin !== null) hand(child.stdin, input)
  const told = keep === undefined || child.stdout === null ? Promise.resolve() : outputOf(child.stdout).then(keep)
  let alive = true
  let nextId = 1
  let answer: ((reply: SandboxReply | null) => void) | null = null
  const started = Promise.withResolvers<boolean>()
  const gone = Promise.withResolvers<void>()
  const begin = () => {
    // It may have been started ahead, with nobody there to ask it anything.
    child.unref()
    child.channel?.unref()
    started.resolve(true)
  }
  const end = () => {
    alive = false
    started.resolve(false)
    answer?.(null)
    gone.resolve()
  }
  child.on('message', (message: 'ready' | SandboxReply) => {
    // Only what came before the first job can be trusted, so it has to be here by then.
    if (message === 'ready') void told.then(begin)
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

/** A child that dies early reads nothing, and that is not the writer's fault. */
function hand(stdin: Writable, input: Uint8Array): void {
  stdin.on('error', () => {})
  stdin.end(input)
}

/** All of it, or nothing when it is too much or breaks off. */
async function outputOf(stdout: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of stdout) {
      size += chunk.length
      if (size > MAX_OUTPUT_BYTES) return new Uint8Array()
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof Error) return new Uint8Array()
    throw error
  }
  return Buffer.concat(chunks)
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
