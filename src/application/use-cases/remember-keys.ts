import type { BindingStore, StoredBinding } from '../ports/bindings.ts'
import type { KnownKeys } from '../ports/node-traces.ts'
import type { SecretBox } from '../ports/secrets.ts'

type Needs = {
  bindings: BindingStore
  secretBox: SecretBox
  /** The key of the configured model. */
  configured: string | null
}

/** Rotated keys stay known for a while: a run that began with one still meets it. */
const MAX_KEYS = 200

/** Knows which keys runs have met, from the reading that every run does anyway: masking asks no database. */
export function rememberKeys({ bindings, secretBox, configured }: Needs): {
  readonly bindings: Pick<BindingStore, 'list'>
  readonly knownKeys: KnownKeys
} {
  const sealed = new Map<string, Map<string, string | null>>()

  function note(workspaceId: string, stored: readonly StoredBinding[]): void {
    const known = sealed.get(workspaceId) ?? new Map<string, string | null>()
    for (const { sealedKey } of stored) {
      if (sealedKey === null) continue
      const opened = known.has(sealedKey) ? (known.get(sealedKey) ?? null) : secretBox.open(sealedKey)
      known.delete(sealedKey)
      known.set(sealedKey, opened)
    }
    const excess = Math.max(0, known.size - Math.max(MAX_KEYS, stored.length))
    for (const old of [...known.keys()].slice(0, excess)) known.delete(old)
    if (known.size > 0) sealed.set(workspaceId, known)
  }

  return {
    bindings: {
      async list(workspaceId) {
        const stored = await bindings.list(workspaceId)
        note(workspaceId, stored)
        return stored
      },
    },
    knownKeys: (workspaceId) =>
      [configured, ...(sealed.get(workspaceId)?.values() ?? [])].filter((key): key is string => key !== null),
  }
}
