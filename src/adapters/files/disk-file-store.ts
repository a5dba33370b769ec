import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bytes, FileStore } from '#application/ports/file-store.ts'
import { DomainError } from '#domain/errors.ts'

/** Pieces from the network are small; each write costs a turn of the thread pool. */
const GATHER_BYTES = 1024 * 1024
const SYNC_BYTES = 8 * 1024 * 1024
const READ_BYTES = 256 * 1024
const UNFINISHED = '.part'
/** What ids of ours look like; anything else in a path would be somebody else's. */
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** `synced` makes a folder's names outlive a crash. */
type DiskSettings = { readonly folder: string; readonly synced?: (folder: string) => Promise<void> }

/**
 * Files in `folder`, in a subfolder by the end of their id, which is its random part.
 * @throws DomainError `service_unavailable` from `put` when the disk is full
 */
export function createDiskFileStore({ folder, synced = syncFolder }: DiskSettings): FileStore {
  const folderOf = (id: string) => join(folder, id.slice(-2))
  const pathOf = (id: string) => join(folderOf(id), id)
  return {
    async put(id, bytes) {
      requireId(id)
      await mkdir(folderOf(id), { recursive: true, mode: 0o700 })
      const unfinished = `${pathOf(id)}${UNFINISHED}`
      try {
        await write(unfinished, bytes)
        await rename(unfinished, pathOf(id))
        // A name outlives a crash only once its folder is written, too.
        await synced(folderOf(id))
      } catch (error) {
        await Promise.all([gone(unfinished), gone(pathOf(id))])
        throw isFull(error) ? new DomainError('service_unavailable', {}, { cause: error }) : error
      }
    },

    async open(id) {
      if (!ID.test(id)) return null
      const handle = await openToRead(pathOf(id))
      return handle === null ? null : createReadStream('', { fd: handle, highWaterMark: READ_BYTES })
    },

    async remove(id) {
      if (!ID.test(id)) return false
      const there = await Promise.all([gone(pathOf(id)), gone(`${pathOf(id)}${UNFINISHED}`)])
      return there.includes(true)
    },

    async *list() {
      for await (const folderName of namesIn(folder)) {
        for await (const name of namesIn(join(folder, folderName))) {
          const id = name.endsWith(UNFINISHED) ? name.slice(0, -UNFINISHED.length) : name
          const writtenAtMs = ID.test(id) ? await writtenAt(join(folder, folderName, name)) : null
          if (writtenAtMs !== null) yield { id, writtenAtMs }
        }
      }
    },
  }
}

function requireId(id: string): void {
  if (!ID.test(id)) throw new TypeError('a file id must be a UUID')
}

/** A file of its own, readable by this user alone; on the disk itself once this resolves. */
async function write(path: string, bytes: Bytes): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  let writing: Promise<void> = Promise.resolve()
  let syncing: Promise<void> = Promise.resolve()
  let unsynced = 0
  try {
    for await (const pieces of gathered(bytes)) {
      await writing
      // While this goes to the system, the next comes from the network.
      writing = writeAll(handle, pieces).then(() => pieces.forEach(letGo))
      writing.catch(() => {})
      unsynced += GATHER_BYTES
      if (unsynced < SYNC_BYTES) continue
      unsynced = 0
      // The disk begins early, so that the end need not wait for all of it. An error is told once only: none gets lost.
      syncing = syncing.then(() => handle.datasync())
      syncing.catch(() => {})
    }
    await writing
    await syncing
    await handle.datasync()
  } finally {
    await Promise.allSettled([writing, syncing])
    await handle.close()
  }
}

/**
 * Frees the memory of what was written at once. Left to the collector, a hundred megabytes of pieces that nobody holds
 * make it search the whole heap several times, which took longer than the writing.
 */
function letGo({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

/** A system may take less than it was given. */
async function writeAll(handle: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  const [only] = pieces
  let rest = pieces.length === 1 && only !== undefined ? only : null
  if (rest === null) {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const { bytesWritten } = await handle.writev(pieces)
    if (bytesWritten === length) return
    rest = Buffer.concat(pieces).subarray(bytesWritten)
  }
  while (rest.length > 0) rest = rest.subarray((await handle.write(rest)).bytesWritten)
}

async function* gathered(bytes: Bytes): AsyncGenerator<readonly Uint8Array[]> {
  let pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of bytes) {
    pieces.push(piece)
    length += piece.length
    if (length < GATHER_BYTES) continue
    yield pieces
    pieces = []
    length = 0
  }
  if (length > 0) yield pieces
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}

async function openToRead(path: string): Promise<FileHandle | null> {
  return unlessMissing(open(path, 'r'))
}

async function gone(path: string): Promise<boolean> {
  return (await unlessMissing(rm(path).then(() => true))) ?? false
}

async function writtenAt(path: string): Promise<number | null> {
  return (await unlessMissing(stat(path)))?.mtimeMs ?? null
}

async function* namesIn(folder: string): AsyncGenerator<string> {
  const entries = await unlessMissing(opendir(folder))
  for await (const { name } of entries ?? []) yield name
}

/** Null when the file is gone, or was never there. */
async function unlessMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null
    throw error
  }
}
