import { printableJson, printableLine, printableText } from './printable.ts'
import type { TerminalIo } from './terminal-io.ts'

/** Data goes to stdout, everything said to the person to stderr, so that a pipe carries data only. */
export type Output = {
  /** One line of data. */
  line(text: string): void
  /** Server text as it came when piped, defused when shown on a terminal. */
  raw(text: string): void
  /** One JSON document: indented, or one line (`compact`) where several follow each other. */
  json(value: unknown, compact?: 'compact'): void
  table(head: readonly string[], rows: readonly (readonly string[])[]): void
  /** One line to the person. */
  note(text: string): void
  /** Replaces the current line on a terminal, does nothing elsewhere. */
  status(text: string): void
}

const CLEAR_LINE = '\r\u001B[2K'

/** The two sinks with the client's manners. */
export function createOutput(io: Pick<TerminalIo, 'stdout' | 'stderr'>): Output {
  let statusShown = false
  const clearStatus = () => {
    if (statusShown) io.stderr.write(CLEAR_LINE)
    statusShown = false
  }
  const line = (text: string) => {
    clearStatus()
    io.stdout.write(`${printableLine(text)}\n`)
  }
  return {
    line,
    raw(text) {
      clearStatus()
      io.stdout.write(io.stdout.isTTY ? printableText(text) : text)
    },
    json(value, compact) {
      clearStatus()
      io.stdout.write(`${printableJson(value, compact ? undefined : 2)}\n`)
    },
    table(head, rows) {
      for (const row of aligned([head, ...rows])) line(row)
    },
    note(text) {
      clearStatus()
      io.stderr.write(`${printableLine(text)}\n`)
    },
    status(text) {
      if (!io.stderr.isTTY) return
      io.stderr.write(`${CLEAR_LINE}${printableLine(text)}`)
      statusShown = text !== ''
    },
  }
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const printed = rows.map((row) => row.map(printableLine))
  const widths = (printed[0] ?? []).map((_, column) => Math.max(...printed.map((row) => row[column]?.length ?? 0)))
  return printed.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
