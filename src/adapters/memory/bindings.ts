import type { BindingStore, StoredBinding } from '#application/ports/bindings.ts'
import type { BindingSubject } from '#domain/binding.ts'
import type { MemoryDatabase } from './database.ts'
import { ascending } from './ordering.ts'

/** What the workspaces of one process bound. */
export function createMemoryBindingStore({ bindings, run }: MemoryDatabase): BindingStore {
  return {
    list: (workspaceId) =>
      run(() =>
        bindings
          .rows()
          .filter((row) => row.workspaceId === workspaceId)
          .toSorted(bySubject),
      ),

    put: (binding) => run(() => bindings.set(keyOf(binding.workspaceId, binding.subject), binding)),

    remove: (workspaceId, subject) =>
      run(() => {
        const key = keyOf(workspaceId, subject)
        const isThere = bindings.get(key) !== undefined
        bindings.delete(key)
        return isThere
      }),
  }
}

function keyOf(workspaceId: string, { kind, provider, name }: BindingSubject): string {
  return JSON.stringify([workspaceId, kind, provider, name])
}

function bySubject({ subject: a }: StoredBinding, { subject: b }: StoredBinding): number {
  return ascending(a.kind, b.kind) || ascending(a.provider, b.provider) || ascending(a.name, b.name)
}
