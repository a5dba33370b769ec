import type { Timer } from '#application/ports/clock.ts'
import type { Json } from '#domain/app.ts'
import { renderPlain } from '../templates/plain-template.ts'
import type { CodeRunner, Ran, TemplateRenderer } from './code-runner.ts'
import type { SandboxReply, SandboxWork } from './sandbox-messages.ts'
import { type Child, startChild } from './sandbox-process.ts'

/** How much children may take. */
export type SandboxSettings = {
  readonly timer: Timer
  /** Children kept warm at most. */
  readonly size?: number
  /** What one piece of code or template may take. */
  readonly timeoutMs?: number
}

/** Where code and templates of apps run; `close` ends every child. */
export type Sandbox = CodeRunner & TemplateRenderer & { close(): Promise<void> }

/** The interpreter stops itself first; the kill is for whatever keeps it from that. */
const KILL_GRACE_MS = 1000
/** The first answer of a child also waits for it to start, on a machine that may be busy. */
const START_MS = 20_000
const MAX_RENDERED = 400_000

type Work = { readonly job: SandboxWork; readonly settle: (said: Ran<string>) => void; readonly signal: AbortSignal }

/**
 * Runs code and templates of apps in children that hold nothing worth stealing. They start when first needed, do one
 * job at a time, and are replaced after a kill.
 */
export function createSandbox({ timer, size = 2, timeoutMs = 15_000 }: SandboxSettings): Sandbox {
  const idle: Child[] = []
  const busy = new Set<Child>()
  const waiting: Work[] = []
  let closed = false

  function submit(job: SandboxWork, signal: AbortSignal): Promise<Ran<string>> {
    if (closed || signal.aborted) return Promise.resolve(ended)
    return new Promise((settle) => {
      waiting.push({ job, settle, signal })
      assign()
    })
  }

  function assign(): void {
    while (waiting.length > 0 && busy.size < size) {
      const work = waiting.shift()
      if (work === undefined) return
      if (work.signal.aborted) {
        work.settle(ended)
        continue
      }
      const child = liveChild() ?? startChild()
      busy.add(child)
      void perform(child, work)
    }
  }

  /** An idle child may have been killed by the system. */
  function liveChild(): Child | undefined {
    for (let child = idle.pop(); child !== undefined; child = idle.pop()) if (child.isAlive()) return child
    return undefined
  }

  async function perform(child: Child, { job, settle, signal }: Work): Promise<void> {
    const kill = () => child.kill()
    let late = false
    const expire = (afterMs: number) =>
      timer(afterMs, () => {
        late = true
        child.kill()
      })
    const outcomeOf = (reply: SandboxReply | null): Ran<string> => {
      if (reply !== null) return reply.said.ok ? { ok: true, value: reply.said.text } : reply.said
      if (signal.aborted || closed) return ended
      return { ok: false, error: late ? 'it took too long' : 'it used too much memory' }
    }
    let cancel = expire(START_MS)
    signal.addEventListener('abort', kill, { once: true })
    const isUp = await child.ready
    cancel()
    cancel = expire(timeoutMs + KILL_GRACE_MS)
    const reply = isUp ? await child.ask(job) : null
    cancel()
    signal.removeEventListener('abort', kill)
    busy.delete(child)
    if (reply !== null && !reply.spent && child.isAlive() && !closed) idle.push(child)
    else child.kill()
    settle(outcomeOf(reply))
    assign()
  }

  return {
    async runJavaScript(code, inputs, signal) {
      const said = await submit({ kind: 'javascript', code, inputs, timeoutMs }, signal)
      return said.ok ? parsed(said.value) : said
    },
    async render(template, variables, signal) {
      const plain = renderPlain(template, variables)
      const said = plain === null ? await submit({ kind: 'template', template, variables }, signal) : null
      const rendered: Ran<string> = said ?? { ok: true, value: plain ?? '' }
      if (!rendered.ok || rendered.value.length <= MAX_RENDERED) return rendered
      return { ok: false, error: `the result is longer than ${MAX_RENDERED} characters` }
    },
    async close() {
      closed = true
      const children = [...idle.splice(0), ...busy]
      for (const work of waiting.splice(0)) work.settle(ended)
      for (const child of children) child.kill()
      await Promise.all(children.map((child) => child.gone))
    },
  }
}

const ended: Ran<never> = { ok: false, error: 'the run has ended' }

/** The child is as foreign as the code in it. */
function parsed(text: string): Ran<Json> {
  try {
    const value: Json = JSON.parse(text)
    return { ok: true, value }
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, error: 'main must return an object' }
    throw error
  }
}
