import type { Clock } from '#application/ports/clock.ts'
import type { FileStore } from '#application/ports/file-store.ts'

/** Files of one process, for as long as it lives. */
export function createMemoryFileStore({ now }: { readonly now: Clock }): FileStore {
  const kept = new Map<string, { readonly pieces: readonly Uint8Array[]; readonly writtenAtMs: number }>()
  return {
    async put(id, bytes) {
      const pieces: Uint8Array[] = []
      for await (const piece of bytes) pieces.push(Uint8Array.from(piece))
      kept.set(id, { pieces, writtenAtMs: now() })
    },
    async open(id) {
      const pieces = kept.get(id)?.pieces
      if (pieces === undefined) return null
      return (async function* () {
        yield* pieces
      })()
    },
    remove: async (id) => kept.delete(id),
    async *list() {
      for (const [id, { writtenAtMs }] of [...kept]) yield { id, writtenAtMs }
    },
  }
}
