import { DomainError } from '#domain/errors.ts'
import { contradicts, HEAD_BYTES } from '#domain/file-type.ts'
import {
  isBoundedAnywhere,
  NOTHING_STORED,
  type OverQuota,
  overQuota,
  type StoredBy,
  sumOf,
} from '#domain/upload-quota.ts'
import { announce, type UploadedFile, type UploadRules } from '#domain/uploaded-file.ts'
import type { Mounted } from '../auth/pipeline.ts'
import type { Clock } from '../ports/clock.ts'
import type { Bytes, FileStore } from '../ports/file-store.ts'
import type { Log } from '../ports/log.ts'
import type { NewId } from '../ports/secrets.ts'
import type { UploadedFiles } from '../ports/uploaded-files.ts'
import { makeUploadsUnderWay } from '../uploads-under-way.ts'

type Needs = {
  fileStore: FileStore
  uploadedFiles: UploadedFiles
  newId: NewId
  now: Clock
  log: Log
  settings: { readonly uploads: UploadRules; readonly fileRetentionDays: number }
}

/** A file on its way in. Its name is the caller's own text; reading `bytes` may throw what is wrong with the request. */
export type IncomingFile = {
  readonly name: string
  readonly bytes: Bytes
  /** As far as the sender told before sending; 0 when they did not. */
  readonly atLeastBytes: number
}

/**
 * Keeps a file for the caller's runs of this app, all of it or nothing.
 * @throws DomainError `unsupported_file_type` | `file_too_large` | `upload_quota_exceeded` | `invalid_input` for an empty
 *   one
 */
export type UploadFile = (admitted: Mounted, incoming: IncomingFile) => Promise<UploadedFile>

export function makeUploadFile(needs: Needs): UploadFile {
  const { fileStore, uploadedFiles, newId, now, log, settings } = needs
  const { quota } = settings.uploads
  const underWay = makeUploadsUnderWay()

  const refuse = (over: OverQuota | null): void => {
    if (over === null) return
    throw new DomainError('upload_quota_exceeded', { ...over, retentionDays: settings.fileRetentionDays })
  }

  async function record(file: UploadedFile): Promise<void> {
    try {
      refuse(await uploadedFiles.add(file, quota))
    } catch (error) {
      // Nobody will ever ask for it; what cannot be removed now, the pruner finds.
      await fileStore
        .remove(file.id)
        .catch((left: unknown) => log.warn('an upload was left behind', { id: file.id, error: left }))
      throw error
    }
  }

  return async ({ app, caller: { owner } }, { name: givenName, bytes, atLeastBytes }) => {
    const announced = announce(givenName, settings.uploads)
    if (!announced.ok) throw new DomainError('unsupported_file_type', { extension: announced.extension })
    const { name, extension, mimeType, maxBytes } = announced
    if (atLeastBytes > maxBytes) throw new DomainError('file_too_large', { maxBytes })
    const { id: appId, workspaceId } = app
    const own = underWay.begin({ workspaceId, owner })
    try {
      const stored = isBoundedAnywhere(quota) ? await uploadedFiles.stored({ workspaceId, owner }) : NOTHING_STORED_BY
      const requireRoom = (size: number) =>
        refuse(overQuota(sumOfBoth(stored, own.besides()), { files: 1, bytes: size }, quota))
      requireRoom(atLeastBytes)
      const id = newId()
      let size = 0
      const grow = (piece: number) => {
        size += piece
        if (size > maxBytes) throw new DomainError('file_too_large', { maxBytes })
        own.came(piece)
        requireRoom(size)
      }
      await fileStore.put(id, checked(bytes, extension, grow))
      const file = { id, workspaceId, appId, owner, name, extension, mimeType, size, createdAtMs: now() }
      await record(file)
      return file
    } finally {
      own.ends()
    }
  }
}

const NOTHING_STORED_BY: StoredBy = { person: NOTHING_STORED, workspace: NOTHING_STORED }

function sumOfBoth(one: StoredBy, other: StoredBy): StoredBy {
  return { person: sumOf(one.person, other.person), workspace: sumOf(one.workspace, other.workspace) }
}

/** The bytes as they come; throws at the first that shows that a file is not what its name says, or that `grow` refuses. */
async function* checked(
  bytes: Bytes,
  extension: string,
  grow: (pieceBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let size = 0
  const head = new Uint8Array(HEAD_BYTES)
  for await (const piece of bytes) {
    if (size < HEAD_BYTES) {
      head.set(piece.subarray(0, HEAD_BYTES - size), size)
      if (size + piece.length >= HEAD_BYTES) requireFit(extension, head)
    }
    size += piece.length
    grow(piece.length)
    yield piece
  }
  if (size === 0) {
    throw new DomainError('invalid_input', {
      issues: [{ type: 'file_empty', loc: ['file'], msg: 'must not be empty' }],
    })
  }
  if (size < HEAD_BYTES) requireFit(extension, head.subarray(0, size))
}

function requireFit(extension: string, head: Uint8Array): void {
  if (contradicts(extension, head)) throw new DomainError('unsupported_file_type', { extension, contradicted: true })
}
