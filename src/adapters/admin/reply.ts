/** What the operator reads, and whether the command did what it says. */
export type AdminReply = {
  readonly ok: boolean
  readonly lines: readonly string[]
  /** What was asked for, although it is bad news: it belongs on standard output. */
  readonly isAnswer?: boolean | undefined
}

export function done(lines: readonly string[]): AdminReply {
  return { ok: true, lines }
}

export function failed(line: string): AdminReply {
  return { ok: false, lines: [line] }
}
