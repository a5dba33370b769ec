/**
 * Runs in a process of its own, with nothing in its environment and hardly a file to read: whatever escapes the
 * interpreters lands here, and the parent kills this process when it takes too long.
 */
import { getQuickJS, type QuickJSContext, type QuickJSHandle, shouldInterruptAfterDeadline } from 'quickjs-emscripten'
import type { JsonObject } from '#domain/app.ts'
import type { SandboxJob, SandboxReply } from './sandbox-messages.ts'

const MEMORY_BYTES = 64 * 1024 * 1024
const STACK_BYTES = 512 * 1024
const MAX_RESULT_CHARS = 8_000_000
const MAX_ERROR_CHARS = 500
const MAX_PENDING_JOBS = 100_000

/** What authors leave in their code; its output goes nowhere. */
const CONSOLE = `globalThis.console = Object.fromEntries(
  ['log', 'info', 'warn', 'error', 'debug'].map((name) => [name, () => {}]))`

const quickJs = await getQuickJS()
let spent = false

process.on('message', (job: SandboxJob) => {
  let said: SandboxReply['said']
  try {
    said = { ok: true, text: perform(job) }
  } catch (error) {
    said = { ok: false, error: error instanceof Error ? error.message.slice(0, MAX_ERROR_CHARS) : 'unknown fault' }
  }
  process.send?.({ id: job.id, said, spent } satisfies SandboxReply)
})
process.send?.('ready')

function perform(job: SandboxJob): string {
  switch (job.kind) {
    case 'javascript':
      return runMain(job)
    case 'template':
    case 'python':
      throw new Error('unknown job')
  }
}

/** The JSON of what `main` returned; a fresh interpreter each time, so that nothing stays behind. */
function runMain({ code, inputs, timeoutMs }: Extract<SandboxJob, { kind: 'javascript' }>): string {
  const runtime = quickJs.newRuntime()
  runtime.setMemoryLimit(MEMORY_BYTES)
  runtime.setMaxStackSize(STACK_BYTES)
  runtime.setInterruptHandler(shouldInterruptAfterDeadline(Date.now() + timeoutMs))
  const context = runtime.newContext()
  try {
    return callMain(context, code, inputs)
  } finally {
    dispose(context)
    dispose(runtime)
  }
}

function callMain(context: QuickJSContext, code: string, inputs: JsonObject): string {
  evaluate(context, CONSOLE).dispose()
  const json = context.newString(JSON.stringify(inputs))
  context.setProp(context.global, '__inputs', json)
  json.dispose()
  // Parsed and called by the code's own realm; it may spoil its own JSON, not ours.
  evaluate(context, code).dispose()
  const promise = evaluate(context, '(async () => JSON.stringify(await main(JSON.parse(__inputs))))()')
  try {
    const executed = context.runtime.executePendingJobs(MAX_PENDING_JOBS)
    if (executed.error !== undefined) throw faultOf(context, executed.error)
    const state = context.getPromiseState(promise)
    if (state.type === 'pending') throw new Error('main never finished')
    if (state.type === 'rejected') throw faultOf(context, state.error)
    const text: unknown = context.dump(state.value)
    state.value.dispose()
    if (typeof text !== 'string') throw new Error('main must return an object')
    if (text.length > MAX_RESULT_CHARS) throw new Error('the result is too large')
    return text
  } finally {
    promise.dispose()
  }
}

function evaluate(context: QuickJSContext, code: string): QuickJSHandle {
  const result = context.evalCode(code, 'code.js')
  if (result.error !== undefined) throw faultOf(context, result.error)
  return result.value
}

/** An interpreter that ran out of memory or stack may not come apart cleanly; then this process has done its last job. */
function dispose(part: { dispose(): void }): void {
  try {
    part.dispose()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    spent = true
  }
}

function faultOf(context: QuickJSContext, handle: QuickJSHandle): Error {
  const thrown: unknown = context.dump(handle)
  handle.dispose()
  if (typeof thrown !== 'object' || thrown === null) return new Error(String(thrown))
  const [name, message] = ['name', 'message'].map((key) => String(Reflect.get(thrown, key) ?? ''))
  return new Error(
    name === 'InternalError' && message === 'interrupted' ? 'the code took too long' : `${name}: ${message}`,
  )
}
