import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { defuse } from '#adapters/admin/defuse.ts'
import { UnreadableFile } from '#adapters/admin/outside.ts'
import { refusedWords, UsageError } from '#adapters/admin/usage-error.ts'
import { createSandbox } from '#adapters/runner-native/code/sandbox.ts'
import { createDslFiles } from '#adapters/runner-native/dsl/dsl-files.ts'
import { makeRehearse, type Rehearsal, type Rehearse } from '#adapters/runner-native/rehearsal/rehearse.ts'
import type { Recording } from '#adapters/runner-native/rehearsal/stub-egress.ts'
import type { Timer } from '#application/ports/clock.ts'
import type { Json } from '#domain/app.ts'

/** A file of recorded answers: a JSON list of these. */
const RecordingFile = v.array(
  v.object({
    method: v.optional(v.string(), 'GET'),
    url: v.string(),
    status: v.optional(v.number(), 200),
    headers: v.optional(v.record(v.string(), v.string()), {}),
    // It comes out of JSON.parse, so it is JSON.
    body: v.custom<Json>((value) => value !== undefined),
  }),
)

const APP_FILE = /\.(ya?ml|json)$/i

/** How one file of a folder did. */
export type Tried = Rehearsal & { readonly file: string }

/**
 * `latchkey app try FOLDER`: imports and plays every app file, without a server, and leaves nothing behind. True when
 * every file imports and everything that needs no binding runs to its end.
 * @throws UsageError | UnreadableFile
 */
export async function tryApps(words: readonly string[], say: (text: string) => void): Promise<boolean> {
  const { folder, isJson, recordingFile } = parseWords(words)
  const recording = recordingFile === undefined ? [] : await readRecording(recordingFile)
  const tried: Tried[] = []
  for await (const one of tryFolder(folder, recording)) {
    tried.push(one)
    if (!isJson) for (const line of linesOf(one)) say(`${defuse(line)}\n`)
  }
  say(isJson ? `${defuse(JSON.stringify({ files: tried.map(wire) }))}\n` : `${summaryOf(tried)}\n`)
  return tried.every((one) => one.imported && (one.status === 'succeeded' || one.preflight.length > 0))
}

/** Every app file below a folder, played one after the other. @throws UnreadableFile */
export async function* tryFolder(folder: string, recording: Recording = []): AsyncGenerator<Tried> {
  const files = await filesIn(folder)
  const timer: Timer = (delayMs, fire) => clearing(setTimeout(fire, delayMs))
  const sandbox = createSandbox({ timer })
  try {
    const rehearse = makeRehearse({ dsl: createDslFiles({ timer }), code: sandbox, templates: sandbox, recording })
    for (const path of files) yield { file: relative(folder, path) || path, ...(await tryFile(path, rehearse)) }
  } finally {
    await sandbox.close()
  }
}

async function tryFile(path: string, rehearse: Rehearse): Promise<Rehearsal> {
  const nothing = { imported: false, mode: null, preflight: [], status: 'skipped' as const, outputs: null }
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { ...nothing, error: 'the file cannot be opened' }
  }
  try {
    return await rehearse(text)
  } catch (error) {
    // A fault of ours in one file must not cost the others their verdicts.
    if (!(error instanceof Error)) throw error
    return { ...nothing, error: `internal fault: ${error.message}` }
  }
}

function parseWords(words: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, recording: { type: 'string' } },
    })
    const [folder, ...others] = positionals
    if (folder === undefined || others.length > 0) throw new UsageError('app try takes one FOLDER')
    return { folder, isJson: values.json === true, recordingFile: values.recording }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw refusedWords(error)
  }
}

/** Every app file below a folder, in the order of their names; or the one file that was named. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const found = await stat(folder).catch(() => null)
  if (found === null) throw new UnreadableFile(`cannot read ${folder}: there is no such folder`)
  if (found.isFile()) return [folder]
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && APP_FILE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
  if (files.length === 0) throw new UnreadableFile(`${folder} holds no app files (.yml, .yaml or .json)`)
  return files
}

async function readRecording(file: string): Promise<Recording> {
  try {
    return v.parse(RecordingFile, JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    throw new UnreadableFile(`cannot read the recording ${file}`, { cause: error })
  }
}

function wire({ file, imported, mode, preflight, status, outputs, error }: Tried) {
  const missing = preflight.map(({ node, reason, fix }) => ({ node, reason, fix }))
  return { file, imported, mode, preflight: missing, status, outputs, error }
}

function linesOf({ file, imported, mode, preflight, status, error }: Tried): readonly string[] {
  if (!imported) return [`✗ ${file}: cannot be imported: ${error}`]
  const mark = { succeeded: '✓', failed: '✗', skipped: '·' }[status]
  return [
    `${mark} ${file} (${mode}): ${status === 'skipped' ? 'imports, needs binding' : status}${error === null ? '' : `: ${error}`}`,
    ...preflight.flatMap(({ node, title, reason, fix }) => [
      `    ${title || node} (${node}): ${reason}`,
      `      ${fix}`,
    ]),
  ]
}

function summaryOf(tried: readonly Tried[]): string {
  const count = (status: Rehearsal['status']) => tried.filter((one) => one.imported && one.status === status).length
  const broken = tried.filter((one) => !one.imported).length
  return `${tried.length} files: ${count('succeeded')} run, ${count('failed')} fail, ${count('skipped')} need binding, ${broken} cannot be imported`
}

function clearing(handle: NodeJS.Timeout): () => void {
  return () => clearTimeout(handle)
}
