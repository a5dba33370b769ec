/** What the operator reads, and whether the command did what it says. */
export type AdminReply = {
  readonly ok: boolean
  readonly lines: readonly string[]
  /** What was asked for, although it is bad news: it belongs on standard output. */
  readonly isAnswer?: boolean | undefined
  /** Said to the person beside the answer, on standard error: a pipe carries the answer alone. */
  readonly note?: string | undefined
}

export function done(lines: readonly string[]): AdminReply {
  return { ok: true, lines }
}

/** One line each; a list that is empty says so (`none`) rather than nothing, except to a program. */
export function listed(lines: readonly string[], none: string, isJson: boolean): AdminReply {
  return lines.length === 0 && !isJson ? { ok: true, lines, note: none } : done(lines)
}

export function failed(line: string): AdminReply {
  return { ok: false, lines: [line] }
}
