/** What the operator reads, and whether the command did what it says. */
export type AdminReply = { readonly ok: boolean; readonly lines: readonly string[] }

export function done(lines: readonly string[]): AdminReply {
  return { ok: true, lines }
}

export function failed(line: string): AdminReply {
  return { ok: false, lines: [line] }
}
