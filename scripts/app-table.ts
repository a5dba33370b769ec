import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Tried, tryFolder } from '#src/try-apps.ts'

/**
 * Writes what became of every app file of a folder (examples/ unless one is named) into docs/running-apps.md, between
 * its two marks; `--check` only says whether that would change it.
 */
const words = process.argv.slice(2)
const folder = words.find((word) => !word.startsWith('--')) ?? 'examples'
const page = join(import.meta.dirname, '..', 'docs', 'running-apps.md')
const [OPEN, CLOSE] = ['<!-- what runs: begin -->', '<!-- what runs: end -->']
const MAX_CELL = 80

/** Text of a stranger's app in one cell: no line break, no bar, no code fence. */
function cell(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('`', "'").replaceAll('<', '&lt;')
  return line.length > MAX_CELL ? `${line.slice(0, MAX_CELL)}…` : line
}

function row({ file, imported, mode, preflight, status, outputs, error }: Tried): string {
  const needs = preflight.map(({ title, reason }) => `${title}: ${reason}`).join('; ')
  const end = status === 'failed' ? `fails: ${error}` : status === 'skipped' ? 'not before that is bound' : 'to its end'
  const cells = imported
    ? [file, mode ?? '', 'yes', needs || 'nothing', end, outputs === null ? '' : JSON.stringify(outputs)]
    : [file, '', `no: ${error}`, '', '', '']
  return `| ${cells.map(cell).join(' | ')} |`
}

const rows: string[] = []
for await (const one of tryFolder(folder)) rows.push(row(one))
const table = ['| file | mode | imports | needs | runs | with |', '|---|---|---|---|---|---|', ...rows].join('\n')
const text = await readFile(page, 'utf8')
const [from, to] = [text.indexOf(OPEN), text.indexOf(CLOSE)]
if (from < 0 || to < from) throw new Error(`docs/running-apps.md has no ${OPEN} … ${CLOSE}`)
const written = `${text.slice(0, from + OPEN.length)}\n${table}\n${text.slice(to)}`
if (words.includes('--check')) process.exitCode = written === text ? 0 : 1
else await writeFile(page, written)
