import type { UploadedFiles } from '#application/ports/uploaded-files.ts'
import type { MemoryDatabase } from './database.ts'

/** Uploaded files of one process. */
export function createMemoryUploadedFiles({ uploadedFiles, run: atomically }: MemoryDatabase): UploadedFiles {
  return {
    add: (file) => atomically(() => uploadedFiles.set(file.id, file)),
    find: (id) => atomically(() => uploadedFiles.get(id) ?? null),
    own: (ids, { appId, owner }) =>
      atomically(() =>
        uploadedFiles
          .rows()
          .filter((file) => ids.includes(file.id) && file.appId === appId)
          .filter((file) => file.owner.kind === owner.kind && file.owner.id === owner.id),
      ),
    forget: (cutoffMs, max) =>
      atomically(() => {
        const old = uploadedFiles
          .rows()
          .filter(({ createdAtMs }) => createdAtMs < cutoffMs)
          .toSorted((a, b) => a.createdAtMs - b.createdAtMs)
          .slice(0, max)
        for (const { id } of old) uploadedFiles.delete(id)
        return old.map(({ id }) => id)
      }),
    known: (ids) => atomically(() => new Set(ids.filter((id) => uploadedFiles.get(id) !== undefined))),
  }
}
