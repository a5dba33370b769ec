import { DomainError } from '#domain/errors.ts'
import type { UploadedFile } from '#domain/uploaded-file.ts'
import type { Clock } from '../ports/clock.ts'
import type { FileLinks } from '../ports/file-links.ts'
import type { Bytes, FileStore } from '../ports/file-store.ts'
import type { UploadedFiles } from '../ports/uploaded-files.ts'

type Needs = { fileStore: FileStore; uploadedFiles: UploadedFiles; fileLinks: FileLinks; now: Clock }

/**
 * The file behind a signed link, for whoever holds it.
 * @throws DomainError `not_found` for a link that is none of ours, has expired, or whose file is gone: all the same
 */
export type OpenLinkedFile = (
  id: string,
  query: Readonly<Record<string, string | undefined>>,
) => Promise<{ readonly file: UploadedFile; readonly bytes: Bytes }>

export function makeOpenLinkedFile({ fileStore, uploadedFiles, fileLinks, now }: Needs): OpenLinkedFile {
  return async (id, query) => {
    // Before any store is asked: a stranger's guesses cost nothing.
    const file = fileLinks.verify(id, query, now()) ? await uploadedFiles.find(id) : null
    const bytes = file === null ? null : await fileStore.open(id)
    if (file === null || bytes === null) throw new DomainError('not_found', {})
    return { file, bytes }
  }
}
