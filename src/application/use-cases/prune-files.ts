import type { Clock } from '../ports/clock.ts'
import type { FileStore } from '../ports/file-store.ts'
import type { UploadedFiles } from '../ports/uploaded-files.ts'

type Needs = {
  fileStore: FileStore
  uploadedFiles: UploadedFiles
  now: Clock
  settings: { readonly fileRetentionDays: number }
}

export type PrunedFiles = { readonly files: number; readonly orphans: number }

/**
 * Removes files that are older than they are kept for, and bytes that nothing is known of: of uploads that a crash
 * cut off, or of apps that are gone. Ends early, between batches, when `signal` fires. Replicas may do it at once.
 */
export type PruneFiles = (signal?: AbortSignal) => Promise<PrunedFiles>

const DAY_MS = 86_400_000
const BATCH = 500

export function makePruneFiles({ fileStore, uploadedFiles, now, settings }: Needs): PruneFiles {
  async function forgetOld(signal?: AbortSignal): Promise<number> {
    const cutoffMs = now() - settings.fileRetentionDays * DAY_MS
    let files = 0
    for (let batch = BATCH; batch === BATCH && signal?.aborted !== true; files += batch) {
      // Rows first: bytes that stay behind when this breaks off are orphans, and nobody is shown a file that is gone.
      const ids = await uploadedFiles.forget(cutoffMs, BATCH)
      for (const id of ids) await fileStore.remove(id)
      batch = ids.length
    }
    return files
  }

  async function removeOrphans(signal?: AbortSignal): Promise<number> {
    // An upload that is under way has bytes and no row yet; none takes a day.
    const cutoffMs = now() - DAY_MS
    let orphans = 0
    let ids: string[] = []
    const sweep = async () => {
      const known = await uploadedFiles.known(ids)
      for (const id of ids) if (!known.has(id) && (await fileStore.remove(id))) orphans++
      ids = []
    }
    for await (const { id, writtenAtMs } of fileStore.list()) {
      if (signal?.aborted === true) return orphans
      if (writtenAtMs < cutoffMs) ids.push(id)
      if (ids.length === BATCH) await sweep()
    }
    await sweep()
    return orphans
  }

  return async (signal) => ({ files: await forgetOld(signal), orphans: await removeOrphans(signal) })
}
