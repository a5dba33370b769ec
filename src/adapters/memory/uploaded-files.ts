import type { UploadedFiles, Uploader } from '#application/ports/uploaded-files.ts'
import { overQuota, type Stored, type StoredBy } from '#domain/upload-quota.ts'
import type { UploadedFile } from '#domain/uploaded-file.ts'
import type { MemoryDatabase } from './database.ts'

/** Uploaded files of one process. */
export function createMemoryUploadedFiles({ uploadedFiles, run: atomically }: MemoryDatabase): UploadedFiles {
  const stored = ({ workspaceId, owner }: Uploader): StoredBy => {
    const rows = uploadedFiles.rows()
    return {
      person: totalOf(rows.filter((file) => file.owner.kind === owner.kind && file.owner.id === owner.id)),
      workspace: totalOf(rows.filter((file) => file.workspaceId === workspaceId)),
    }
  }
  return {
    add: (file, quota) =>
      atomically(() => {
        const over = overQuota(stored(file), { files: 1, bytes: file.size }, quota)
        if (over === null) uploadedFiles.set(file.id, file)
        return over
      }),
    stored: (uploader) => atomically(() => stored(uploader)),
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

function totalOf(files: readonly UploadedFile[]): Stored {
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) }
}
