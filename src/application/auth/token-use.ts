import type { Origin } from '#domain/device-flow-state.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { RecordTokenUses, TokenUse } from '../ports/token-usage.ts'

type Needs = { recordTokenUses: RecordTokenUses; now: Clock; log: Log }

/** When and from where tokens were last used, written behind the requests. */
export type TokenUsage = {
  note(tokenHash: string, from: Origin): void
  /** Writes what is due, or with `everything` also what is not: a stop must not lose it. Never throws. */
  flush(how?: { readonly everything: boolean }): Promise<void>
}

/** Who looks at their sessions needs no more than this; every write is a new version of the row. */
const WRITE_EVERY_MS = 60_000
const MAX_PENDING = 100_000

export function makeTokenUsage({ recordTokenUses, now, log }: Needs): TokenUsage {
  const pending = new Map<string, TokenUse>()
  const writtenAtMs = new Map<string, number>()

  return {
    note(tokenHash, { ip, userAgent }) {
      // When nothing can be written for long, the newest tokens go unrecorded rather than memory being used up.
      if (pending.size >= MAX_PENDING && !pending.has(tokenHash)) return
      pending.set(tokenHash, { tokenHash, atMs: now(), ip, userAgent })
    },

    async flush({ everything } = { everything: false }) {
      for (const [hash, atMs] of writtenAtMs) if (now() - atMs >= WRITE_EVERY_MS) writtenAtMs.delete(hash)
      const due = [...pending.values()].filter(({ tokenHash }) => everything || !writtenAtMs.has(tokenHash))
      if (due.length === 0) return
      try {
        await recordTokenUses(due, everything ? 0 : WRITE_EVERY_MS)
      } catch (error) {
        log.warn('the last uses of tokens could not be written', { tokens: due.length, error })
        return
      }
      for (const use of due) {
        writtenAtMs.set(use.tokenHash, now())
        // A use noted while this one was written is still to come.
        if (pending.get(use.tokenHash) === use) pending.delete(use.tokenHash)
      }
    },
  }
}
