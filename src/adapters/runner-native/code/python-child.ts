/**
 * Runs Python in a process of its own, which serves one app. The permission model and the
 * closed doors are what holds; that Python sees no JavaScript globals only makes the way to them longer.
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { loadPyodide } from 'pyodide'
import { closeDoors } from './close-doors.ts'
import type { SandboxJob, SandboxReply } from './sandbox-messages.ts'

const MAX_RESULT_CHARS = 8_000_000
const MAX_ERROR_CHARS = 500
/** Where Python finds Jinja; it imports from archives. */
const ARCHIVE = '/lib/jinja2.zip'

const BROKEN: SandboxReply['said'] = { ok: false, error: 'the code broke the interpreter' }

/**
 * Jinja itself, in its own sandbox: a template may call what it was given, and nothing behind it. An environment of its
 * own for every template, so that nothing is kept from one to the next.
 */
const RENDER = `
from jinja2.sandbox import SandboxedEnvironment
def __render(template, variables, json_loads=json.loads, words=traceback.format_exception_only):
    try:
        return [True, SandboxedEnvironment().from_string(template).render(**json_loads(variables))]
    except BaseException as fault:
        return [False, ''.join(words(fault)).strip()]
__render
`

/** A fresh namespace for every call; the code's own words for what goes wrong. */
const CALL = `
import json, traceback
def __call(code, inputs, json_loads=json.loads, json_dumps=json.dumps, words=traceback.format_exception_only):
    scope = {'__name__': 'code', '__builtins__': __builtins__}
    try:
        exec(compile(code, 'code.py', 'exec'), scope)
        if 'main' not in scope:
            return [False, "NameError: name 'main' is not defined"]
        return [True, json_dumps(scope['main'](**json_loads(inputs)), ensure_ascii=False, allow_nan=False)]
    except BaseException as fault:
        return [False, ''.join(words(fault)).strip()]
__call
`

closeDoors()
const silent = () => {}
/** The memory of an interpreter that has just started, from the first child; it saves nine tenths of a start. */
const kept = await buffer(process.stdin)
const python = await loadPyodide({
  ...(kept.length > 0 ? { _loadSnapshot: kept } : { _makeSnapshot: true }),
  jsglobals: Object.create(null),
  stdout: silent,
  stderr: silent,
  env: { HOME: '/home/pyodide' },
})
// Files are not part of the memory that is kept.
python.FS.writeFile(ARCHIVE, await readFile(new URL('./jinja2.zip', import.meta.url)))
if (kept.length === 0) {
  python.runPython(`import sys; sys.path.append('${ARCHIVE}'); import json, re, traceback, jinja2.sandbox`)
  process.stdout.end(python.makeMemorySnapshot())
  await once(process.stdout, 'finish')
}
// The seed is in the memory that everybody begins with.
python.runPython('import random; random.seed()')
const call: unknown = python.runPython(CALL)
const render: unknown = python.runPython(RENDER)

process.on('message', (job: SandboxJob) => {
  const said = answer(job)
  // An interpreter that broke under a call stays broken.
  process.send?.({ id: job.id, said: said ?? BROKEN, spent: said === null } satisfies SandboxReply)
})
process.send?.('ready')

/** Null when the interpreter itself broke. */
function answer(job: SandboxJob): SandboxReply['said'] | null {
  try {
    const told = toPair(tell(job))
    if (told === null) return null
    const [ok, text] = told
    if (!ok) return { ok: false, error: text.slice(0, MAX_ERROR_CHARS) }
    return text.length > MAX_RESULT_CHARS ? { ok: false, error: 'the result is too large' } : { ok: true, text }
  } catch (error) {
    if (error instanceof Error) return null
    throw error
  }
}

function tell(job: SandboxJob): unknown {
  if (job.kind === 'python' && typeof call === 'function') return call(job.code, JSON.stringify(job.inputs))
  if (job.kind === 'template' && typeof render === 'function')
    return render(job.template, JSON.stringify(job.variables))
  return null
}

/** A Python list comes as a proxy that has to be copied and let go. */
function toPair(told: unknown): readonly [ok: boolean, text: string] | null {
  if (typeof told !== 'object' || told === null || !('toJs' in told) || typeof told.toJs !== 'function') return null
  const pair: unknown = told.toJs()
  if ('destroy' in told && typeof told.destroy === 'function') told.destroy()
  return Array.isArray(pair) ? [pair[0] === true, String(pair[1])] : null
}
