import type { Clock } from '#application/ports/clock.ts'
import type { Log } from '#application/ports/log.ts'

/** Notes that a notice was refused for `reason`, which is one of a few words. */
export type NoteRefusedNotice = (reason: string) => void

/** Of each reason one line: junk of one kind must not hide why the provider's own notices are refused. */
const LINE_EVERY_MS = 60_000

/**
 * One line a minute and reason, which counts those that were left out before it: anybody may send notices, and would
 * fill the log. They are not limited by address instead, for the provider's own may come through the same proxy.
 */
export function makeNoteRefusedNotice({ log, now }: { log: Log; now: Clock }): NoteRefusedNotice {
  const told = new Map<string, { readonly atMs: number; leftOut: number }>()
  return (reason) => {
    const last = told.get(reason)
    const sinceMs = last === undefined ? LINE_EVERY_MS : now() - last.atMs
    // A clock that was set back must not silence the log until it is where it was.
    if (last !== undefined && sinceMs >= 0 && sinceMs < LINE_EVERY_MS) {
      last.leftOut += 1
      return
    }
    log.warn('back-channel logout refused', { reason, leftOut: last?.leftOut ?? 0 })
    told.set(reason, { atMs: now(), leftOut: 0 })
  }
}
