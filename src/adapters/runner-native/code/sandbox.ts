import type { Timer } from '#application/ports/clock.ts'
import type { Json } from '#domain/app.ts'
import { DEFAULT_LIMITS } from '../limits.ts'
import { onlyNames, renderPlain } from '../templates/plain-template.ts'
import { type ChildPool, createChildPool } from './child-pool.ts'
import type { CodeRunner, Ran, TemplateRenderer } from './code-runner.ts'
import { createPythonStarter, startJavaScriptChild } from './sandbox-process.ts'

/** How much children may take. */
export type SandboxSettings = {
  readonly timer: Timer
  /** Children for JavaScript and templates kept warm at most. */
  readonly size?: number
  /** Children for Python; each takes some 200 MB and serves one app. */
  readonly pythonSize?: number
  /** What one piece of code or template may take. */
  readonly timeoutMs?: number
  /** Characters of what a template makes. */
  readonly maxRendered?: number
}

/** Where code and templates of apps run; `close` ends every child. */
export type Sandbox = CodeRunner &
  TemplateRenderer & {
    /** The children by what runs in them. */
    state(): Readonly<Record<'javascript' | 'python', ReturnType<ChildPool['state']>>>
    close(): Promise<void>
  }

/** Runs code and templates of apps in children that hold nothing worth stealing. */
export function createSandbox(settings: SandboxSettings): Sandbox {
  const { timer, size = 2, pythonSize = 4 } = settings
  const { timeoutMs = DEFAULT_LIMITS.codeSeconds * 1000, maxRendered = DEFAULT_LIMITS.templateChars } = settings
  const scripts = createChildPool({ start: startJavaScriptChild, timer, size, timeoutMs })
  const pythons = createChildPool({ start: createPythonStarter(), timer, size: pythonSize, timeoutMs })
  return {
    async runJavaScript(code, inputs, signal) {
      const said = await scripts.submit({ kind: 'javascript', code, inputs, timeoutMs }, '', signal)
      return said.ok ? parsed(said.value) : said
    },
    async runPython(code, inputs, appId, signal) {
      // Python's modules can be changed by the code that runs: no other app may meet what it left behind.
      const said = await pythons.submit({ kind: 'python', code, inputs }, appId, signal)
      return said.ok ? parsed(said.value) : said
    },
    expectPython: (appId) => pythons.expect(appId),
    async render(template, variables, signal) {
      const plain = renderPlain(template, variables, maxRendered)
      const said = plain === null ? await pythons.submit({ kind: 'template', template, variables }, '', signal) : null
      const rendered: Ran<string> = said ?? { ok: true, value: plain ?? '' }
      if (!rendered.ok || rendered.value.length <= maxRendered) return rendered
      return { ok: false, error: `the result is longer than ${maxRendered} characters` }
    },
    expect(template) {
      if (!onlyNames(template)) pythons.expect('')
    },
    state: () => ({ javascript: scripts.state(), python: pythons.state() }),
    async close() {
      await Promise.all([scripts.close(), pythons.close()])
    },
  }
}

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
