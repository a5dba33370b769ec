import type { UseCases } from '#application/use-cases.ts'

const USAGE_FLUSH_MS = 10_000

/** What a server does between requests; `stop` ends it and writes what is still held. */
export function startBackground(cases: UseCases): { stop(): Promise<void> } {
  const flushing = setInterval(() => void cases.tokenUsage.flush(), USAGE_FLUSH_MS).unref()
  return {
    async stop() {
      clearInterval(flushing)
      await cases.tokenUsage.flush({ everything: true })
    },
  }
}
