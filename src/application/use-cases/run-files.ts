import type { Clock } from '../ports/clock.ts'
import type { FileLinks } from '../ports/file-links.ts'
import type { FileStore } from '../ports/file-store.ts'
import type { RunFiles } from '../ports/run-files.ts'
import type { FileScope, UploadedFiles } from '../ports/uploaded-files.ts'

export type RunFilesNeeds = {
  fileStore: FileStore
  uploadedFiles: UploadedFiles
  fileLinks: FileLinks
  now: Clock
  settings: FileLinkSettings
}

/** `filesOrigin` is where others can fetch files; null when nobody outside can. */
export type FileLinkSettings = { readonly filesOrigin: string | null; readonly fileLinkSeconds: number }

/** What one caller's run of one app may read. Each read asks again whose the file is. */
export function makeRunFiles(needs: RunFilesNeeds, scope: FileScope): RunFiles {
  const { fileStore, uploadedFiles, fileLinks, now, settings } = needs
  const find = async (id: string) => (await uploadedFiles.own([id], scope))[0] ?? null
  return {
    find,

    async read(id) {
      const file = await find(id)
      const bytes = file === null ? null : await fileStore.open(file.id)
      if (file === null || bytes === null) return null
      const whole = new Uint8Array(file.size)
      let at = 0
      for await (const piece of bytes) {
        // A store that holds something else than was put there must not be read beyond the end.
        if (at + piece.length > whole.length) return null
        whole.set(piece, at)
        at += piece.length
      }
      return at === whole.length ? whole : null
    },

    linkTo(id) {
      const { filesOrigin, fileLinkSeconds } = settings
      return filesOrigin === null ? null : filesOrigin + fileLinks.sign(id, now() + fileLinkSeconds * 1000)
    },
  }
}
