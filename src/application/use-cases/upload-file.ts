import { DomainError } from '#domain/errors.ts'
import { contradicts, HEAD_BYTES } from '#domain/file-type.ts'
import { announce, type UploadedFile, type UploadRules } from '#domain/uploaded-file.ts'
import type { Mounted } from '../auth/pipeline.ts'
import type { Clock } from '../ports/clock.ts'
import type { Bytes, FileStore } from '../ports/file-store.ts'
import type { Log } from '../ports/log.ts'
import type { NewId } from '../ports/secrets.ts'
import type { UploadedFiles } from '../ports/uploaded-files.ts'

type Needs = {
  fileStore: FileStore
  uploadedFiles: UploadedFiles
  newId: NewId
  now: Clock
  log: Log
  settings: { readonly uploads: UploadRules }
}

/** A file on its way in. Its name is the caller's own text; reading `bytes` may throw what is wrong with the request. */
export type IncomingFile = { readonly name: string; readonly bytes: Bytes }

/**
 * Keeps a file for the caller's runs of this app, all of it or nothing.
 * @throws DomainError `unsupported_file_type` | `file_too_large` | `invalid_input` for an empty one
 */
export type UploadFile = (admitted: Mounted, incoming: IncomingFile) => Promise<UploadedFile>

export function makeUploadFile(needs: Needs): UploadFile {
  const { fileStore, uploadedFiles, newId, now, log, settings } = needs
  return async ({ app, caller }, incoming) => {
    const announced = announce(incoming.name, settings.uploads)
    if (!announced.ok) throw new DomainError('unsupported_file_type', { extension: announced.extension })
    const { name, extension, mimeType, maxBytes } = announced
    const id = newId()
    let size = 0
    const counted = checked(incoming.bytes, extension, maxBytes, (total) => {
      size = total
    })
    await fileStore.put(id, counted)
    const { id: appId, workspaceId } = app
    const file = { id, workspaceId, appId, owner: caller.owner, name, extension, mimeType, size, createdAtMs: now() }
    try {
      await uploadedFiles.add(file)
    } catch (error) {
      // Nobody will ever ask for it; what cannot be removed now, the pruner finds.
      await fileStore.remove(id).catch((left: unknown) => log.warn('an upload was left behind', { id, error: left }))
      throw error
    }
    return file
  }
}

/** The bytes as they come; throws at the first that shows a file is too large, or is not what its name says. */
async function* checked(
  bytes: Bytes,
  extension: string,
  maxBytes: number,
  ended: (size: number) => void,
): AsyncGenerator<Uint8Array> {
  let size = 0
  const head = new Uint8Array(HEAD_BYTES)
  for await (const piece of bytes) {
    if (size < HEAD_BYTES) {
      head.set(piece.subarray(0, HEAD_BYTES - size), size)
      if (size + piece.length >= HEAD_BYTES) requireFit(extension, head)
    }
    size += piece.length
    if (size > maxBytes) throw new DomainError('file_too_large', { maxBytes })
    yield piece
  }
  if (size === 0) {
    throw new DomainError('invalid_input', {
      issues: [{ type: 'file_empty', loc: ['file'], msg: 'must not be empty' }],
    })
  }
  if (size < HEAD_BYTES) requireFit(extension, head.subarray(0, size))
  ended(size)
}

function requireFit(extension: string, head: Uint8Array): void {
  if (contradicts(extension, head)) throw new DomainError('unsupported_file_type', { extension, contradicted: true })
}
